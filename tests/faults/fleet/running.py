"""One run: ten jobs on machines that meet the fates of a seed, and what was wrong after."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from media_nommer import wiring
from media_nommer.adapters.aws.clients import AwsClients
from media_nommer.conf.settings import Settings
from media_nommer.core.jobs import JobId
from media_nommer.core.workflow.engine import Engine
from media_nommer.feederd.duties import Chore, Duties
from media_nommer.feederd.janitor import Janitor
from media_nommer.feederd.patience import JanitorPolicy
from media_nommer.feederd.reaper import Reaper
from media_nommer.feederd.running import Loop
from media_nommer.feederd.scaler import Scaler
from media_nommer.feederd.service import JobService
from media_nommer.feederd.watching import MachineWatch
from media_nommer.planning.fleet.scaling import Limits
from tests import aws_services
from tests.faults.clips import jobs
from tests.faults.fleet.fates import Fates
from tests.faults.fleet.yard import Yard, wait_until
from tests.faults.machines import Machines, clients_at
from tests.faults.running import Findings, Place, Report
from tests.pocket.looks import unseen

ENGINES = ("dynamodb", "simpledb")
MOST = 3
SECOND = timedelta(seconds=1)
#: How long, in seconds, ten jobs may take, and all machines to end after them.
PATIENCE = 400.0
ENDS_IN = 120.0
#: By so many seconds a machine's pay may be off where three of them share a busy core.
NEARLY = 5.0

#: Machines are there at once, and a run should meet many fates in little time.
POLICY = JanitorPolicy(
    silent_leases=2,
    look_every=SECOND,
    appears_within=6 * SECOND,
    reports_within=30 * SECOND,
    missed_for=4 * SECOND,
    ends_within=6 * SECOND,
    unknown_for=10 * SECOND,
)
SETTINGS = {
    "fleet": "ec2",
    "instance_types": "c7i.xlarge,c6a.xlarge",
    "instance_prices": "c7i.xlarge=0.2,c6a.xlarge=0.1",
    "max_lost": 12,
    "idle_timeout": "2s",
    "drain_timeout": "4s",
}


@dataclass(frozen=True)
class Site:
    """What all runs of a session share."""

    machines: Machines
    yard: Yard
    clients: AwsClients
    #: EC2 as who prepares a run asks it: a second try might find its own work.
    moto: Any


@contextmanager
def site(machines: Machines) -> Iterator[Site]:
    """Put an EC2 of processes beside the services of a session."""
    direct = machines.direct
    patient = clients_at(direct["aws"], direct["simpledb"], direct["aws"], patience=250)
    moto = patient.client("ec2")
    yard = Yard(moto, direct)
    try:
        clients = clients_at(direct["aws"], direct["simpledb"], yard.front.url)
        yield Site(machines, yard, clients, moto)
    finally:
        yard.close()


def run(
    here: Site,
    engine: str,
    seed: int,
    folder: Path,
    *,
    calm: bool = False,
    count: int | None = None,
) -> Report:
    """Do jobs on machines that meet the fates of a seed, and look at what there is.

    They are ten, or the first ``count`` of these.
    """
    again = ".venv/bin/python -m tests.faults.fleet"
    report, began = Report(engine, seed, again=again), time.monotonic()
    with ExitStack() as stack:
        place = Place(here.machines, engine, seed, folder)
        settings = place.settings(installation=place.name, **SETTINGS)
        here.moto.create_launch_template(
            LaunchTemplateName=f"{place.name}-node",
            LaunchTemplateData={"MetadataOptions": {"InstanceMetadataTags": "enabled"}},
        )
        stack.enter_context(here.machines.in_use(here.clients))
        here.machines.said.clear()
        store = stack.enter_context(wiring.open_engine(settings))
        here.yard.begin(None if calm else Fates(seed), _told(settings), folder / "machines")
        ids: list[JobId] = []
        try:
            with _feeding(store, settings):
                documents = jobs(here.machines.clips, place.out)[:count]
                ids = _submitted(documents, store, settings)
                _watch(here.yard, store, ids, report)
        finally:
            here.yard.end()
            report.calls = here.yard.calls
            report.harmed = Counter({str(k): v for k, v in here.yard.met.items()})
            report.said = [*here.machines.said, *_logs(folder)]
        _drain(store, settings, report)
        report.wrong += Findings(here.machines, place, store, ids, report).all()
        report.wrong += _of_machines(here.yard, store, report)
    report.seconds = time.monotonic() - began
    return report


def _told(settings: Settings) -> Mapping[str, str]:
    """Return the environment of a machine: what a launch template would tell it."""
    named = ("store", "queue", "work", "installation", "slots", "max_lost")
    spans = ("lease", "put_again_after", "backoff", "idle_timeout", "drain_timeout")
    said = {name: str(getattr(settings, name)) for name in named}
    said |= {k: f"{getattr(settings, k).total_seconds()}s" for k in spans}
    return {
        **aws_services.settings(""),
        **{f"NOMMER_{name.upper()}": value for name, value in said.items()},
        "NOMMER_CONFIG": "",
        "NOMMER_FLEET": "none",
        "NOMMER_MACHINE": "ec2",
    }


@contextmanager
def _feeding(engine: Engine, settings: Settings) -> Iterator[None]:
    """Do feederd's work in threads, as its daemon does it, only more often."""
    parts = wiring.open_fleet(settings)
    assert parts is not None, "the settings name one"
    work, limits = wiring.work_policy(settings), Limits(max_nodes=MOST, jobs_per_node=1)
    scaler = Scaler(engine, parts.fleet, limits, parts.offer)
    janitor, loops = Janitor(engine, work, POLICY), dict[str, Loop]()
    reaper = Reaper(engine, parts.fleet, work, POLICY)
    watch = MachineWatch(parts.fleet, on_end=lambda: loops["reaping"].wake())
    duties = Duties(engine, "feederd-of-this-run")
    steps = {
        "putting-again": ("janitor", janitor.put_again),
        "scaling": ("scaler", scaler.step),
        "reaping": ("reaper", reaper.step),
    }
    loops |= {k: Loop(Chore(k, d, SECOND, step), duties) for k, (d, step) in steps.items()}
    watching = Chore("watching", "reaper", SECOND / 2, watch.step)
    loops["watching"] = Loop(watching, duties)
    for loop in loops.values():
        loop.start()
    try:
        yield
    finally:
        for loop in loops.values():
            loop.stop()
        for loop in loops.values():
            loop.join(60)


def _submitted(
    documents: Sequence[Mapping[str, Any]], engine: Engine, settings: Settings
) -> list[JobId]:
    service = JobService(engine=engine, outside=wiring.open_outside(settings, engine))
    return [service.submit(document).id for document in documents]


def _watch(yard: Yard, engine: Engine, ids: list[JobId], report: Report) -> None:
    """Wait for all jobs, and then for all machines."""

    def final() -> bool:
        return all(engine.store.get_job(job_id).state.final for job_id in ids)

    def ended() -> bool:
        over = all(instance.state == "terminated" for instance in yard.instances)
        nodes = [node for node in engine.store.nodes(gone=True) if node.machine.name]
        return over and all(node.gone and node.machine.ended_at for node in nodes)

    if wait_until(final, PATIENCE) and not wait_until(ended, ENDS_IN):
        report.wrong.append(f"machines or nodes are left {ENDS_IN:g} s after the last job")


def _drain(engine: Engine, settings: Settings, report: Report) -> None:
    """Take away the messages that the next worker would find to be of no use any more.

    A worker that was killed has left its message hidden, and others have done its task.
    """

    def seen() -> bool:
        while delivery := engine.queue.take(settings.lease):
            if engine.store.get_task(delivery.task_id).settled:
                engine.queue.done(delivery)
                report.notes["messages of no use"] += 1
        return not engine.queue.depth()

    wait_until(seen, ENDS_IN)


def _of_machines(yard: Yard, engine: Engine, report: Report) -> Iterator[str]:
    """Yield what is wrong with machines, and note what they met."""
    nodes = Counter(instance.tags["nommer-node"] for instance in yard.instances)
    for node, count in nodes.items():
        if count != 1:
            yield f"node {node} has {count} machines"
    report.notes["machines"] = len(yard.instances)
    by_name = {node.machine.name: node for node in engine.store.nodes(gone=True)}
    for instance in yard.instances:
        if instance.state != "terminated":
            yield f"{instance.id} is {instance.state}: {instance.history}"
            continue
        node = by_name.get(instance.id)
        machine = None if node is None else node.machine
        if (
            node is None
            or machine is None
            or machine.started_at is None
            or machine.ended_at is None
        ):
            yield f"{instance.id} has no end on record: {node}"
            continue
        paid = (machine.ended_at - machine.started_at).total_seconds()
        off = paid - instance.billed_seconds
        report.notes["machines paid to the second"] += abs(off) <= 1
        if abs(off) > max(NEARLY, unseen(instance, yard.ec2.looks, node.changed_at)):
            yield f"{instance.id} ({instance.why}) was paid {off:+.1f} s too long: {node}"


def _logs(folder: Path) -> Iterator[str]:
    for log in sorted(folder.glob("machines/*/log")):
        lines = log.read_text(errors="replace").splitlines()
        yield from (f"{log.parent.name}: {line}" for line in lines[-12:])
