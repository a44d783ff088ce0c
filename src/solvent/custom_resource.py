"""Answering CloudFormation from a Lambda function: every request gets an answer, or a deploy hangs for an hour.

Source: docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html
"""

import json
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any

from solvent.logs import log

_LONGEST_REASON = 2000  # an answer may have 4096 bytes


def answer(event: Mapping[str, Any], *, physical_id: str, work: Callable[[], Mapping[str, Any]]) -> None:
    """Do the work and tell CloudFormation how it went; a failure is an answer, never an exception.

    `physical_id` must not change between requests, or CloudFormation takes it for a replacement and deletes the old.
    The work's result becomes the resource's attributes.
    """
    body: dict[str, Any] = {
        "PhysicalResourceId": physical_id,
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
    }
    try:
        body |= {"Status": "SUCCESS", "Data": dict(work())}
    except Exception as error:  # noqa: BLE001 (whatever it is, CloudFormation must hear of it)
        log("custom_resource_failed", level="ERROR", resource=event["LogicalResourceId"], error=f"{error}")
        body |= {"Status": "FAILED", "Reason": f"{type(error).__name__}: {error}"[:_LONGEST_REASON]}
    send(event["ResponseURL"], body)


def send(url: str, body: Mapping[str, Any]) -> None:
    """PUT an answer to the pre-signed address. An empty content type, as the signature was made without one."""
    data = json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method="PUT", headers={"Content-Type": ""})  # noqa: S310
    with urllib.request.urlopen(request, timeout=30):  # noqa: S310 (CloudFormation gives the address)
        log("custom_resource_answered", status=body["Status"], resource=body["LogicalResourceId"])
