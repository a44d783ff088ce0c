"""Event source mappings of Kinesis, in place of ministack's poller.

That one reads all streams in one thread and ignores partial batch responses (records are lost in silence), bisection,
retry and age limits and on-failure destinations. Here every shard has its own order and its own thread while it has
records.
"""

import base64
import json
import threading
import time
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from ministack.core.concurrency import esm_wake
from ministack.core.responses import request_scope

from embedded_aws import adapter, service
from embedded_aws.functions.kinesis_batches import Handling, Outcome, Record, Rules

_LONGEST_PAUSE = 5.0
# "Please ensure the role can perform the GetRecords, GetShardIterator, DescribeStream, ListShards ... Actions": what
# Lambda refuses a mapping without. https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-create.html
_READING = ("DescribeStream", "DescribeStreamSummary", "ListShards", "GetShardIterator", "GetRecords")
_busy: set[tuple[str, str]] = set()  # (mapping, shard) pairs that a thread works on
_busy_lock = threading.Lock()


def install() -> None:
    """Take over the polling, and fix a mapping's start at its creation instead of at the poller's first look."""
    adapter.KINESIS_POLL.replace(poll)
    adapter.INIT_STREAM_POSITION.wrap(_begin)


def poll() -> bool:
    """Called by ministack's loop, at every put and once a second: start a thread per shard that has a batch ready."""
    for account, region, mapping in adapter.MAPPINGS.get()():
        if ":kinesis:" not in mapping.get("EventSourceArn", "") or not _enabled(mapping):
            continue
        with request_scope(account, region):
            stream = _stream(mapping)
            if stream is None:
                continue
            positions = _positions(mapping, stream)
            for shard_id, shard in list(stream["shards"].items()):
                waiting = shard["records"][positions.setdefault(shard_id, 0) :]
                if waiting and _due(mapping, waiting):
                    _start(mapping, shard_id)
    return False  # a shard's thread asks for the next look itself


def _enabled(mapping: dict[str, Any]) -> bool:
    return str(mapping.get("Enabled", True)).lower() == "true"


def _stream(mapping: dict[str, Any]) -> dict[str, Any] | None:
    _, _, _, region, account, resource = mapping["EventSourceArn"].split(":", 5)
    found = adapter.KINESIS_STREAMS.get().get_scoped(account, region, resource.split("/", 1)[1])
    return found if found and found["StreamStatus"] in ("ACTIVE", "UPDATING") else None


def _positions(mapping: dict[str, Any], stream: dict[str, Any]) -> dict[str, int]:
    """Shard -> index of the next record; kept where ministack keeps and persists it."""
    store, key = adapter.KINESIS_POSITIONS.get(), mapping["UUID"]
    if key not in store:
        from_start = mapping.get("StartingPosition", "LATEST") == "TRIM_HORIZON"
        store[key] = {shard: 0 if from_start else len(s["records"]) for shard, s in stream["shards"].items()}
    return store[key]


def _begin(inner: Any, mapping_id: str, source: str, starting: str) -> Any:
    if ":kinesis:" in source:
        mapping = {"UUID": mapping_id, "EventSourceArn": source, "StartingPosition": starting}
        stream = _stream(mapping)
        if stream is not None:
            _positions(mapping, stream)
        esm_wake.set()
    return inner(mapping_id, source, starting)


def _due(mapping: dict[str, Any], waiting: Sequence[dict[str, Any]]) -> bool:
    """A batch goes out when it is full or when its oldest record has waited for the batching window."""
    window = float(mapping.get("MaximumBatchingWindowInSeconds") or 0)
    left = window - (time.time() - float(waiting[0]["ApproximateArrivalTimestamp"]))
    if len(waiting) >= int(mapping.get("BatchSize", 100)) or left <= 0:
        return True
    timer = threading.Timer(left, esm_wake.set)
    timer.daemon = True
    timer.start()
    return False


def _start(mapping: dict[str, Any], shard_id: str) -> None:
    key = (mapping["UUID"], shard_id)
    with _busy_lock:
        if key in _busy:
            return
        _busy.add(key)
    service.spawn_thread(_work, mapping, shard_id)


def _work(mapping: dict[str, Any], shard_id: str) -> None:
    """Settle one batch of one shard."""
    try:
        stream = _stream(mapping)
        if stream is None:
            return
        positions = _positions(mapping, stream)
        first = positions[shard_id]
        raw = stream["shards"][shard_id]["records"][first : first + int(mapping.get("BatchSize", 100))]
        role = _role(mapping)
        for operation in _READING:
            service.authorize(role, f"kinesis:{operation}", mapping["EventSourceArn"])
        records = [_record(mapping, shard_id, item, role) for item in raw]
        wanted = adapter.ESM_FILTER.get()(records, mapping)
        kept = {id(record) for record in wanted}

        def advance(count: int) -> None:
            """Over `count` wanted records and the filtered ones around them."""
            while positions[shard_id] - first < len(records):
                if id(records[positions[shard_id] - first]) in kept:
                    if count == 0:
                        return
                    count -= 1
                positions[shard_id] += 1

        handling = Handling(
            rules=Rules.of(mapping),
            invoke=lambda piece: _invoke(mapping, piece),
            give_up=lambda piece, condition, attempts: _give_up(mapping, shard_id, piece, condition, attempts, role),
            advance=advance,
            pause=lambda attempt: _pause(mapping, attempt),
            clock=time.time,
        )
        if wanted:
            handling.run(wanted)
        else:
            advance(0)
    except service.ApiError as denied:
        mapping["LastProcessingResult"] = f"PROBLEM: {denied.message}"
        time.sleep(1)
    finally:
        with _busy_lock:
            _busy.discard((mapping["UUID"], shard_id))
        esm_wake.set()


def _role(mapping: dict[str, Any]) -> str:
    found = service.operator_client("lambda").get_function_configuration(FunctionName=mapping["FunctionArn"])
    return str(found["Role"])


def _record(mapping: dict[str, Any], shard_id: str, item: dict[str, Any], role: str) -> Record:
    """https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html"""
    data = item["Data"]
    if isinstance(data, bytes):
        data = base64.b64encode(data).decode()
    return {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": item["PartitionKey"],
            "sequenceNumber": item["SequenceNumber"],
            "data": data,
            "approximateArrivalTimestamp": item["ApproximateArrivalTimestamp"],
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"{shard_id}:{item['SequenceNumber']}",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": role,
        "awsRegion": mapping["EventSourceArn"].split(":")[3],
        "eventSourceARN": mapping["EventSourceArn"],
    }


def _invoke(mapping: dict[str, Any], piece: Sequence[Record]) -> Outcome:
    function = service.operator_client("lambda")
    try:
        answer = function.invoke(FunctionName=mapping["FunctionArn"], Payload=json.dumps({"Records": list(piece)}))
    except (ClientError, BotoCoreError) as error:
        outcome = Outcome(error=str(error))
    else:
        body = json.loads(answer["Payload"].read() or b"null")
        outcome = Outcome(error=str(body)) if answer.get("FunctionError") else Outcome(answer=body)
    mapping["LastProcessingResult"] = "PROBLEM: Function call failed" if outcome.error else "OK"
    return outcome


def _pause(mapping: dict[str, Any], attempt: int) -> bool:
    time.sleep(min(0.1 * 2 ** min(attempt, 10), _LONGEST_PAUSE))
    return _enabled(mapping) and any(m is mapping for _, _, m in adapter.MAPPINGS.get()())


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _give_up(
    mapping: dict[str, Any], shard_id: str, piece: Sequence[Record], condition: str, attempts: int, role: str
) -> None:
    """Send the metadata of a batch that is given up to the on-failure queue or topic, with the function's role."""
    destination = ((mapping.get("DestinationConfig") or {}).get("OnFailure") or {}).get("Destination")
    if not destination:
        return
    first, last = piece[0]["kinesis"], piece[-1]["kinesis"]
    notice = {
        "requestContext": {
            "requestId": str(uuid.uuid4()),
            "functionArn": mapping["FunctionArn"],
            "condition": condition,
            "approximateInvokeCount": attempts,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "version": "1.0",
        "timestamp": _moment(time.time()),
        "KinesisBatchInfo": {
            "shardId": shard_id,
            "startSequenceNumber": first["sequenceNumber"],
            "endSequenceNumber": last["sequenceNumber"],
            "approximateArrivalOfFirstRecord": _moment(float(first["approximateArrivalTimestamp"])),
            "approximateArrivalOfLastRecord": _moment(float(last["approximateArrivalTimestamp"])),
            "batchSize": len(piece),
            "streamArn": mapping["EventSourceArn"],
        },
    }
    try:
        if ":sqs:" in destination:
            sqs = service.client("sqs", role, "kinesis-on-failure")
            _, account, queue = destination.rsplit(":", 2)
            url = f"{service.url()}/{account}/{queue}"  # without a call: sqs:SendMessage is all that Lambda wants
            sqs.send_message(QueueUrl=url, MessageBody=json.dumps(notice))
        else:
            service.client("sns", role, "kinesis-on-failure").publish(TopicArn=destination, Message=json.dumps(notice))
    except (ClientError, BotoCoreError):
        service.log.exception("The on-failure destination %s could not be reached", destination)
