"""A lake in moto's S3: deliver a folder, run the ETL on it, read the tables back."""

import io
import json
from pathlib import Path
from typing import Any

import boto3
import pyarrow as pa
import pyarrow.parquet as pq

from solvent import delivery, etl, naming
from solvent.etl.engine import Engine, select

BUCKETS = {zone: f"solvent-test-{zone}" for zone in etl.ZONES}


class Lakehouse:
    """Needs an active `mock_aws`."""

    def __init__(self, work: Path) -> None:
        self.work = work
        self.s3 = boto3.client("s3", region_name="eu-west-1")
        for bucket in BUCKETS.values():
            self.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})

    def deliver(self, folder: Path, *, without: tuple[str, ...] = (), base: etl.Job | None = None) -> etl.Job:
        """Upload a folder as `solvent load` does; `without` leaves out files that the manifest names.

        `base` is the run that this delivery builds on.
        """
        manifest = delivery.build(folder)
        key = naming.manifest_key(manifest.portfolio, manifest.delivery_id)
        for file in manifest.files:
            if file.name not in without:
                self.s3.upload_file(
                    str(folder / file.name), BUCKETS["landing"], key.replace("manifest.json", file.name)
                )
        self.s3.put_object(Bucket=BUCKETS["landing"], Key=key, Body=manifest.to_bytes())
        run_id = delivery.run_id(manifest.to_bytes(), "test")
        return etl.Job(
            portfolio=manifest.portfolio,
            run_id=run_id,
            manifest=f"s3://{BUCKETS['landing']}/{key}",
            buckets=BUCKETS,
            base=base.run_id if base else None,
        )

    def run(self, job: etl.Job, engine: Engine | None = None) -> dict[str, Any]:
        work = self.work / f"run-{len(list(self.work.iterdir()))}"
        work.mkdir()
        chosen = engine or select(work, "duckdb")
        try:
            return etl.run(job, engine=chosen, s3=self.s3, work=work)
        finally:
            chosen.close()

    def objects(self, zone: str) -> dict[str, bytes]:
        listing = self.s3.list_objects_v2(Bucket=BUCKETS[zone]).get("Contents", [])
        return {o["Key"]: self.s3.get_object(Bucket=BUCKETS[zone], Key=o["Key"])["Body"].read() for o in listing}

    def published(self) -> dict[str, bytes]:
        """Everything but the landing zone."""
        return {
            f"{zone}/{key}": body for zone in BUCKETS if zone != "landing" for key, body in self.objects(zone).items()
        }

    def table(self, job: etl.Job, zone: str, name: str) -> pa.Table:
        prefix = naming.table_prefix(job.portfolio, name, job.run_id)
        parts = [b for k, b in sorted(self.objects(zone).items()) if k.startswith(prefix) and k.endswith(".parquet")]
        return pa.concat_tables([pq.read_table(io.BytesIO(part)) for part in parts])

    def json_lines(self, job: etl.Job, zone: str, name: str) -> list[dict[str, Any]]:
        prefix = naming.table_prefix(job.portfolio, name, job.run_id)
        bodies = [b for k, b in sorted(self.objects(zone).items()) if k.startswith(prefix) and "part-" in k]
        return [json.loads(line) for body in bodies for line in body.splitlines()]
