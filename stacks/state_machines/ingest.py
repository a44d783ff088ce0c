"""`ingest`: a delivery -> raw, cleaned and training tables (Glue) -> warehouse (one transaction) -> marts."""

from typing import Any

from stacks.state_machines.parts import Parts


def definition(parts: Parts) -> dict[str, Any]:
    config = parts.config
    machine = parts.machine("ingest", "A delivery to the lake's tables and the warehouse. Input: manifest (S3 URI)")
    parts.open(machine, then="RunEtl")
    machine.task(
        "RunEtl",
        "glue:startJobRun.sync",
        {
            "JobName": config.names.etl_job,
            "Arguments": {
                "--portfolio.$": "$.run.portfolio",
                "--run_id.$": "$.run.run_id",
                "--manifest.$": "$.run.manifest",
                "--base.$": "$.run.base",
            },
        },
        select={"job_run_id.$": "$.Id"},
        keep="$.etl",
        then="LoadWarehouse",
        timeout_seconds=(config.etl.timeout_minutes + 10) * 60,
    )
    parts.load(machine, "ingest", {}, then="RefreshMarts")
    parts.refresh(machine, then="AllSourcesTaken")
    # What could be taken is loaded; a run that lacks a source does not complete, so nothing trains or scores on it.
    machine.choose(
        "AllSourcesTaken",
        [({"Variable": "$.load_submitted.stopped", "StringEquals": ""}, "CompleteRun")],
        otherwise="SourcesStopped",
    )
    told = "States.Format('{} What was published is in the warehouse.', $.load_submitted.stopped)"
    machine.refuse("SourcesStopped", "SourcesStopped", cause_path=told)
    machine.close({"job_run_id.$": "$.etl.job_run_id", "statement_id.$": "$.load.id"})
    return machine.definition()
