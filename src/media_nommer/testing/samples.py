"""Records to test with: plain ones, and ones that have every field filled in."""

from dataclasses import replace
from datetime import timedelta

from media_nommer.core.errors import Failure
from media_nommer.core.jobs import (
    Job,
    JobId,
    JobState,
    Output,
    OutputState,
    Phase,
    Priority,
    PublishedFile,
)
from media_nommer.core.nodes import Duty, Machine, Market, Node, NodeId
from media_nommer.core.shares import Share
from media_nommer.core.tasks import (
    Outcome,
    PlannedTask,
    Result,
    ResultFile,
    Task,
    TaskKind,
    task_id,
)
from media_nommer.testing.clock import START

MINUTE = timedelta(minutes=1)
SPOT = Machine(
    name="i-0123456789abcdef0",
    type="c7i.xlarge",
    market=Market.SPOT,
    zone="us-east-1a",
    price=0.072,
    started_at=START - MINUTE,
)
FAILURE = Failure(
    code="ENCODER_CRASHED",
    message="exit status 139",
    advice="Nothing: it is tried again.",
    retryable=True,
    log_tail=('with "quotes", ünïcode and a tab\t', ""),
)


def a_job(number: int = 1, *, minutes: float = 0, **changes: object) -> Job:
    """Return a new job, created so many minutes after the manual clock's start."""
    at = START + minutes * MINUTE
    job = Job(
        id=JobId(f"job-{number:04}"),
        recipe={"outputs": [{"preset": "web"}]},
        source="file:///films/in.mov",
        outputs=(Output(name="web"),),
        created_at=at,
        changed_at=at,
    )
    return replace(job, **changes)  # type: ignore[arg-type]


def a_full_job() -> Job:
    """Return a job that has been through a lot."""
    file = PublishedFile(
        url="file:///out/naïve%20%C3%BC.mp4",
        size=2**40,
        sha256="ab" * 32,
        work_url="s3://work/x",
        before='"etag"',
    )
    finished = Output(
        name="web",
        state=OutputState.FINISHED,
        files=(file,),
        facts={"height": 720, "hdr": False, "label": "„ü\u2028“\x00", "rungs": [1, 2.5]},
    )
    failed = Output(name="small", state=OutputState.FAILED, failure=FAILURE)
    at = START + timedelta(microseconds=1)
    job = replace(
        a_job(),
        outputs=(finished, failed),
        deadline=at + MINUTE,
        priority=Priority.LOW,
        group="viewers",
        tags={"show": "42", "odd 'name' ü": 'odd "value" \x00%_'},
        presets=("small", "web"),
    )
    running = job.in_phase(Phase.ENCODING, at=at)
    published = running.publishing("pub-1", running.outputs, at=at + MINUTE)
    ended = published.moved_to(JobState.FAILED, at=at + 2 * MINUTE, failure=FAILURE)
    return ended.archived(at=at + 3 * MINUTE)


def a_task(
    key: str = "inspect", *, job: str = "job-0001", run: int = 1, minutes: float = 0
) -> Task:
    """Return a new task, created so many minutes after the manual clock's start."""
    at = START + minutes * MINUTE
    return Task(
        id=task_id(JobId(job), run, key),
        job_id=JobId(job),
        run=run,
        key=key,
        kind=TaskKind.INSPECT,
        created_at=at,
        changed_at=at,
        ready_at=at,
    )


def a_full_task() -> Task:
    """Return a task that was lost, failed, claimed again and committed."""
    node, lease = NodeId("node-1"), timedelta(seconds=90)
    result = Result(
        plan=(PlannedTask(key="encode-0", kind=TaskKind.ENCODE, needs=("inspect",)),),
        files=(ResultFile(output=0, key="a b.mp4", work_url="w", size=1, sha256="c" * 64),),
        facts={0: {"frames": 250}},
        failures={1: FAILURE},
    )
    task = a_task("encode-000 é")
    task = task.claimed(node, lease=lease, at=START).claimed(node, lease=lease, at=START)
    task = task.set_back(at=START, ready_at=START + MINUTE, failure=FAILURE, log_url="l")
    task = task.claimed(NodeId("node-2"), lease=lease, at=START + MINUTE)
    task = task.charged(Share(seconds=12.5, kind="ec2", machine=SPOT))
    task = task.beaten(progress=0.5, at=START + MINUTE).put_again(at=START + MINUTE)
    return task.committed(
        Outcome.SUCCEEDED, at=START + 2 * MINUTE, result=result, cpu_seconds=1.25
    )


def a_node(name: str = "node-1") -> Node:
    """Return the intent of a node."""
    return Node(id=NodeId(name), kind="local", created_at=START, changed_at=START)


def a_duty(name: str = "scaler", holder: str = "feederd-1") -> Duty:
    """Return a duty that nobody has had yet."""
    return Duty(name=name, holder=holder, lease=MINUTE, changed_at=START)
