"""Glue job `compact`: closed days of the stream become one object each. The story is in `solvent.compaction`."""

import json
import sys
from datetime import UTC, datetime

import boto3
from awsglue.utils import getResolvedOptions

from solvent import compaction, contracts, naming

arguments = getResolvedOptions(sys.argv, ["JOB_NAME", "raw_bucket"])
s3 = boto3.client("s3")
before = compaction.closed_before(datetime.now(UTC).date())
for event in naming.EVENTS:
    done = compaction.compact(s3, arguments["raw_bucket"], contracts.load()[event], before=before)
    print(json.dumps({"event": event, "before": before.isoformat(), **done}))
