"""The published schema of a model package's card, in short: what it allows, with its lengths.

Source: docs.aws.amazon.com/sagemaker/latest/dg/model-registry-details.html, "Model package model card schema", 0.1.0.
"""

from typing import Any

Schema = dict[str, Any]


def words(longest: int) -> Schema:
    return {"type": "string", "maxLength": longest}


def closed(**properties: Schema) -> Schema:
    return {"type": "object", "additionalProperties": False, "properties": properties}


def named(value: Schema, **more: Schema) -> Schema:
    of = closed(name={"type": "string", "pattern": "^.{1,255}$"}, value=value, **more)
    return {**of, "required": ["name", "value", *(["type"] if "type" in more else [])]}


METRIC = named(
    {"anyOf": [{"type": "number"}, words(63), {"type": "boolean"}]},
    notes=words(1024),
    type={"enum": ["number", "string", "boolean"]},
)
GROUP = {
    "type": "object",
    "required": ["name", "metric_data"],
    "properties": {
        "name": {"type": "string", "pattern": "^.{1,63}$"},
        "metric_data": {"type": "array", "items": METRIC},
    },
}
TRAINING_JOB = closed(
    training_arn=words(1024),
    training_datasets={"type": "array", "items": words(1024)},
    training_environment={"type": "object"},
    training_metrics={"type": "array", "maxItems": 50, "items": named({"type": "number"}, notes=words(1024))},
    hyper_parameters={
        "type": "array",
        "maxItems": 100,
        "items": named({"type": "string", "pattern": "^.{1,255}$"}),
    },
)
EVALUATION = {
    **closed(
        name={"type": "string", "pattern": "^.{1,63}$"},
        evaluation_observation=words(2096),
        evaluation_job_arn=words(256),
        datasets={"type": "array", "maxItems": 10, "items": words(1024)},
        metadata={"type": "object", "additionalProperties": words(1024)},
        metric_groups={"type": "array", "items": GROUP},
    ),
    "required": ["name"],
}
SCHEMA = closed(
    model_overview=closed(model_creator=words(1024), model_artifact={"type": "array", "items": words(1024)}),
    intended_uses=closed(
        purpose_of_model=words(2048),
        intended_uses=words(2048),
        factors_affecting_model_efficiency=words(2048),
        risk_rating={"enum": ["High", "Medium", "Low", "Unknown"]},
        explanations_for_risk_rating=words(2048),
    ),
    business_details=closed(
        business_problem=words(2048), business_stakeholders=words(2048), line_of_business=words(2048)
    ),
    training_details=closed(
        objective_function={"type": "object"}, training_observations=words(1024), training_job_details=TRAINING_JOB
    ),
    evaluation_details={"type": "array", "items": EVALUATION},
    additional_information=closed(
        ethical_considerations=words(2048),
        caveats_and_recommendations=words(2048),
        custom_details={"type": "object", "additionalProperties": words(1024)},
    ),
)
