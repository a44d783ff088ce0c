"""The endpoint's and the batch transform's code, under SageMaker's own serving toolkits.

Only data is loaded, never a pickle, and every file is first held against its SHA-256. Invalid input is the caller's
fault and answers 4xx: an exception would otherwise be a 500, and count against the model's health.
"""

import json
import os
from pathlib import Path

from solvent import model_folder
from solvent.serving import JSON, InvalidRequest, respond

VERSION = os.environ.get("MODEL_VERSION", "unregistered")


def model_fn(model_dir):
    """The model of a model directory. Raises InvalidModel; the container then fails its health check."""
    return model_folder.load(Path(model_dir))


def transform_fn(model, body, content_type, accept):
    """(answer, content type) for one request; a refusal in whatever form the toolkit at hand turns into a 4xx."""
    try:
        return respond(model, body, content_type=content_type, accept=accept, model_version=VERSION)
    except InvalidRequest as error:
        return _refuse(error)


def _refuse(error):
    """sagemaker-containers (Flask) takes a Response, sagemaker-inference (MMS) an exception of its own.

    The container has both installed, so being importable says nothing: only Flask has a request context.
    """
    answer = json.dumps(error.to_dict())
    try:
        from flask import has_request_context
        from sagemaker_containers.beta.framework import worker
    except ImportError:
        pass
    else:
        if has_request_context():
            return worker.Response(response=answer, status=error.status_code, mimetype=JSON)
    try:
        from sagemaker_inference.errors import BaseInferenceToolkitError
    except ImportError:
        raise error from None
    raise BaseInferenceToolkitError(error.status_code, answer, "Invalid request") from error
