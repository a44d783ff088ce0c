"""What one run of a phase costs, by what the states of its machine start."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from gates.assembly import Assembly
from gates.cost.prices import HOURS, Assumed, Line, Properties, UnpricedError
from gates.machines.flows import Flow, State, flows
from solvent.naming import Names

COMPACTION = "arn:aws:scheduler:::aws-sdk:glue:startJobRun"  # the target of the schedule that compacts
DPU = {"G.1X": 1, "G.2X": 2, "G.4X": 4, "G.8X": 8}  # a worker's DPUs
# What Wait states wait for, by their names: it sets how often their loop goes round.
AWAITED = {
    "WaitApproval": "approval_minutes",
    "WaitEndpoint": "rollout_minutes",
    "WaitLoad": "load_minutes",
    "WaitRefresh": "refresh_minutes",
}


def phases(assembly: Assembly) -> list[str]:
    """The ends of the machines' names: `ingest`, `train`..."""
    return [name.removeprefix(Names(assembly.environment).state_machine("")) for name in assembly.definitions]


def _flows(assembly: Assembly, phase: str) -> list[Flow]:
    return list(flows(assembly.definitions[Names(assembly.environment).state_machine(phase)]))


def states_of(assembly: Assembly, phase: str) -> list[State]:
    """All states of a phase, those inside of Parallel and Map once each."""
    return [state for flow in _flows(assembly, phase) for state in flow.states.values()]


def run(assembly: Assembly, phase: str, assumed: Assumed) -> Iterator[Line]:
    """One run of a phase, without the phases that it starts. Each state counts once, and each round of a poll."""
    states = states_of(assembly, phase)
    transitions = len(states) + sum(_rounds(flow, assumed) for flow in _flows(assembly, phase))
    yield Line("state transitions", transitions, "transition", "`orchestration`: `..._poll_seconds`")
    for state in states:
        resource = state.get("Resource", "").removeprefix("arn:aws:states:::")
        given = state.get("Parameters", {})
        if resource.startswith("glue:startJobRun"):
            yield _etl(assembly.one("AWS::Glue::Job", Name=given["JobName"]), assumed)
        elif resource.startswith("sagemaker:createTrainingJob"):
            yield from _training(given["ResourceConfig"], assumed)
        elif resource.startswith("sagemaker:createHyperParameterTuningJob"):
            trials = given["HyperParameterTuningJobConfig"]["ResourceLimits"]["MaxNumberOfTrainingJobs"]
            for line in _training(given["TrainingJobDefinition"]["ResourceConfig"], assumed):
                yield replace(line, what=f"tuning: {line.what}", quantity=trials * line.quantity)
        elif resource.startswith("sagemaker:createTransformJob"):
            used = given["TransformResources"]
            hours = used["InstanceCount"] * assumed["transform_minutes"] / 60
            yield Line("batch transform", hours, used["InstanceType"], "`serving.transform_instance_type`")
        elif resource.startswith("lambda:invoke"):
            yield from function(assembly, 1, assumed)
    if any("redshiftdata:" in state.get("Resource", "") for state in states):
        (workgroup,) = assembly.of("AWS::RedshiftServerless::Workgroup").values()
        refreshes = any("WaitRefresh" in flow.states for flow in _flows(assembly, phase))
        refresh = assumed["refresh_minutes"] if refreshes else 0
        minutes = max(1, assumed["load_minutes"] + refresh)  # Redshift bills a minute at least
        hours = workgroup["BaseCapacity"] * minutes / 60
        yield Line("warehouse load", hours, "rpu-hour", "`warehouse.base_capacity`")


def _rounds(flow: Flow, assumed: Assumed) -> int:
    """Transitions of the loops that begin in a Wait state."""
    found = 0
    for name, state in flow.states.items():
        if state["Type"] == "Wait":
            if name not in AWAITED:
                raise UnpricedError(f"nobody says for how long {name} waits")
            found += flow.round(name) * int(assumed[AWAITED[name]] * 60 // state["Seconds"])
    return found


def _etl(job: Properties, assumed: Assumed) -> Line:
    dpus = job["NumberOfWorkers"] * DPU[job["WorkerType"]]
    hours = dpus * max(1, assumed["etl_minutes"]) / 60  # Glue bills a minute at least
    return Line("Glue job", hours, "dpu-hour", "`etl.workers`, `etl.worker_type`")


def compaction(assembly: Assembly, assumed: Assumed) -> Iterator[Line]:
    """One night's compaction of the stream."""
    job = assembly.one("AWS::Glue::Job", Name=Names(assembly.environment).compact_job)
    dpus = job["NumberOfWorkers"] * DPU[job["WorkerType"]]
    hours = dpus * max(1, assumed["compact_minutes"]) / 60
    yield Line("compaction of the stream", hours, "dpu-hour", "`stream.compaction_enabled`")


def _training(used: Properties, assumed: Assumed) -> Iterator[Line]:
    hours = used["InstanceCount"] * assumed["training_minutes"] / 60
    yield Line("training job", hours, used["InstanceType"], "`training.instance_type`")
    yield Line("its volume", used["VolumeSizeInGB"] * hours / HOURS, "ml-storage-gb", "`training.volume_gb`")


def function(assembly: Assembly, invocations: float, assumed: Assumed) -> Iterator[Line]:
    """Of all functions the largest one's memory: they cost next to nothing."""
    largest = max(p.get("MemorySize", 128) for p in assembly.of("AWS::Lambda::Function").values()) / 1024
    yield Line("functions", invocations * largest * assumed["function_seconds"], "gb-second", "none")
    yield Line("functions, invoked", invocations, "invocation", "none")


def nested(assembly: Assembly, phase: str, own: Mapping[str, list[Line]]) -> list[Line]:
    """What the machines cost that a machine starts and waits for."""
    machines = [
        state["Parameters"]["StateMachineArn"].rpartition(Names(assembly.environment).state_machine(""))[2]
        for state in states_of(assembly, phase)
        if "states:startExecution" in state.get("Resource", "")
    ]
    return [line for machine in machines for line in own[machine]]
