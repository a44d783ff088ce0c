"""100,000 loans through the real batch transform and the real load: each has its prediction in the warehouse, once."""

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from embedded_aws import lifecycle
from solvent import datasets, deployment
from solvent.client import Platform, query
from solvent.target import Target

pytestmark = pytest.mark.embedded
ROOT = Path(__file__).parents[2]
LOANS = 100_000
SMALL = 400  # loans of the delivery whose features are repeated

# Loans X000001 to X100000, each a copy of a delivered one.
COPIES = """
    INSERT INTO lending.loans
    SELECT
      'X' || LPAD(CAST(ROW_NUMBER() OVER (ORDER BY l.loan_id, o.loan_id) AS VARCHAR), 6, '0'),
      {columns}
    FROM lending.loans AS l
    CROSS JOIN (SELECT loan_id FROM lending.loans ORDER BY loan_id LIMIT {times}) AS o
    ORDER BY 1
    LIMIT {loans}
"""


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    """`dev` with a champion, and nothing scored."""
    home = tmp_path / "home"
    assembly = shutil.copytree(ROOT / "cdk.out" / "dev", tmp_path / "dev")
    target = Target.at(lifecycle.up(home, port=4940).url, "dev")
    try:
        deployment.bootstrap(target, assembly, tmp_path / "bootstrap.log")
        deployment.deploy(target, assembly, tmp_path / "deploy.log")
        delivery = tmp_path / "delivery"
        delivery.mkdir()
        datasets.write("synthetic", delivery, size=SMALL, seed=2)
        made = Platform(target)
        for phase, request in (("ingest", {"manifest": made.load(delivery)}), ("train", {"portfolio": "lending"})):
            done = made.run(phase, request, timeout=300)
            assert done.status == "SUCCEEDED", f"{done.error}: {done.cause}"
        yield made
    finally:
        lifecycle.down(home)


def test_a_hundred_thousand_predictions_are_in_the_warehouse_once_each(platform: Platform) -> None:
    columns, delivered = query(platform.target, "SELECT * FROM lending.loans")
    copied = ", ".join(f"l.{name}" for name in columns if name != "loan_id")
    query(platform.target, COPIES.format(columns=copied, times=-(-LOANS // len(delivered)), loans=LOANS))
    originals = repeat_open_loans(platform)

    begun = time.perf_counter()
    done = platform.run("score", {"portfolio": "lending"}, timeout=900)
    print(f"{LOANS} loans scored and loaded in {time.perf_counter() - begun:.1f} s")

    assert done.status == "SUCCEEDED", f"{done.error}: {done.cause}"
    counted = "SELECT COUNT(*), COUNT(DISTINCT loan_id), MIN(loan_id), MAX(loan_id) FROM lending.predictions"
    assert query(platform.target, counted)[1] == [[LOANS, LOANS, "X000001", f"X{LOANS:06d}"]]
    # Each is judged as what it is a copy of, wherever in the batch it is.
    alike = f"""
        SELECT COUNT(*), MAX(answers), COUNT(DISTINCT one) FROM (
          SELECT COUNT(DISTINCT probability) AS answers, MIN(probability) AS one FROM lending.predictions
          GROUP BY MOD(CAST(RIGHT(loan_id, 6) AS INTEGER), {originals})
        ) AS of_one
    """
    groups, answers, different = query(platform.target, alike)[1][0]
    assert (groups, answers) == (originals, 1)
    assert different > originals / 2


def repeat_open_loans(platform: Platform) -> int:
    """Let `score` read the delivery's open loans over and over, named X000001 on; returns how many there were."""
    s3, bucket = platform.target.client("s3"), platform.target.bucket("training")
    found = s3.list_objects_v2(Bucket=bucket, Prefix="lending/open_loans/")["Contents"]
    key, *others = [item["Key"] for item in found if item["Size"]]
    assert not others, "the delivery is small: its open loans are one object"
    loans = [json.loads(line) for line in s3.get_object(Bucket=bucket, Key=key)["Body"].read().splitlines()]
    lines = (json.dumps({**loans[n % len(loans)], "loan_id": f"X{n:06d}"}) for n in range(1, LOANS + 1))
    s3.put_object(Bucket=bucket, Key=key, Body="\n".join(lines).encode())
    return len(loans)
