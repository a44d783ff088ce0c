"""AWS's prebuilt XGBoost container: where its image lies in each region.

The accounts are those of the SageMaker Python SDK's `image_uri_config/xgboost.json` (versions 1.x and later), read in
November 2026; aws-cdk-lib does not know them. A new region is one line here.
"""

VERSION = "3.2-0"  # Python 3.12, scikit-learn 1.8, pandas 2.2, numpy 2.1
REPOSITORY = "sagemaker-xgboost"
FEATURE_PROCESSING = "sagemaker-sklearn-automl"  # of Autopilot, in the same accounts
# The image's toolkit installs the script's directory with `pip install .`, in training and in serving. Without a
# network pip must neither build in an environment of its own nor ask an index. ("0" means no isolation: it is the value
# of `build_isolation`.)
OFFLINE_PIP = {"PIP_NO_BUILD_ISOLATION": "0", "PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
ACCOUNTS = {
    "ap-northeast-1": "354813040037",
    "ap-northeast-2": "366743142698",
    "ap-south-1": "720646828776",
    "ap-southeast-1": "121021644041",
    "ap-southeast-2": "783357654285",
    "ca-central-1": "341280168497",
    "eu-central-1": "492215442770",
    "eu-north-1": "662702820516",
    "eu-south-1": "978288397137",
    "eu-west-1": "141502667606",
    "eu-west-2": "764974769150",
    "eu-west-3": "659782779980",
    "sa-east-1": "737474898029",
    "us-east-1": "683313688378",
    "us-east-2": "257758044811",
    "us-west-1": "746614075791",
    "us-west-2": "246618743249",
}


def image_uri(region: str) -> str:
    """The image for training and serving; raises KeyError that says where to add a region."""
    return f"{_account(region)}.dkr.ecr.{region}.amazonaws.com/{REPOSITORY}:{VERSION}"


def repository_arn(region: str, repository: str = REPOSITORY) -> str:
    return f"arn:aws:ecr:{region}:{_account(region)}:repository/{repository}"


def _account(region: str) -> str:
    if region not in ACCOUNTS:
        raise KeyError(f"No account of the XGBoost image is known for {region}: add it to stacks/constructs/images.py.")
    return ACCOUNTS[region]
