"""ec2nommerd as a process: settings in, exit status out."""

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import (
    AbstractContextManager,
    ExitStack,
    contextmanager,
    nullcontext,
    suppress,
)
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import Enum, auto

import structlog

from media_nommer import wiring
from media_nommer.conf import load_settings
from media_nommer.conf.logs import set_up_logs
from media_nommer.conf.settings import Settings
from media_nommer.core.clock import system_clock
from media_nommer.core.errors import AlreadyExists, NommerError
from media_nommer.core.nodes import Machine, Market, Node, NodeId, new_node_id
from media_nommer.core.ports.surroundings import Notice, Surroundings
from media_nommer.core.workflow.changes import change_node
from media_nommer.core.workflow.engine import Engine, node_log_url
from media_nommer.daemons.needs import check_needs
from media_nommer.daemons.opening import (
    AskedToStop,
    opened_engine,
    patiently,
    stopping_at_once,
)
from media_nommer.ec2nommerd.attempts import AttemptRunner
from media_nommer.ec2nommerd.node import give_up
from media_nommer.ec2nommerd.node_log import LogTail, NodeLog
from media_nommer.ec2nommerd.notices import NoticeWatch
from media_nommer.ec2nommerd.running import (
    NodePolicy,
    Requests,
    RunningNode,
    leaving_on_signals,
)

log = structlog.get_logger(__name__)

#: The kinds of nodes: started by somebody, by feederd beside it, by feederd on EC2.
BY_HAND, BY_FLEET, BY_EC2 = "hand", "local", "ec2"

#: How long a machine is asked who it is: without an answer there are no credentials either.
_TO_LEARN_WHO = timedelta(minutes=2)


def run_worker(
    settings: Settings, node_id: str | None = None, *, kept: bool = False
) -> int:
    """Take tasks until there is nothing to do, or SIGTERM; return the exit status.

    Only the main thread can: signals come to it. The rest is as `nom_until_asked` says.
    """
    tail = LogTail(sys.stderr) if settings.machine == "ec2" else None
    set_up_logs(settings.log_level, settings.log_format, stream=tail)
    with leaving_on_signals() as requests:
        return nom_until_asked(
            settings,
            requests,
            node_id,
            kept=kept,
            while_opening=stopping_at_once,
            tail=tail,
        )


def nom_until_asked(
    settings: Settings,
    requests: Requests,
    node_id: str | None = None,
    *,
    kept: bool = False,
    while_opening: Callable[[], AbstractContextManager[None]] = nullcontext,
    tail: LogTail | None = None,
) -> int:
    """Take tasks in this thread until nothing is left to do, or ``requests`` asks to leave.

    Return the exit status. ``while_opening`` may end with AskedToStop what is opened;
    otherwise a request is seen between two tries.

    ``node_id`` is that of the launch intent of whoever started us; without it the machine
    may know one, else the node has one of its own. A ``kept`` node never leaves for
    idleness. A store that is away at the start is waited for. ``tail`` has what was logged,
    to be kept in the work area.

    Raises:
        EncoderMissing: there is no usable FFmpeg.
        NommerError: something else that it needs cannot be had, ever; the node's record
            says so, as far as the store can be had.
    """
    surroundings = wiring.open_surroundings(settings)
    with ExitStack() as stack:
        try:
            with while_opening():
                me = patiently(
                    lambda: _who(settings, surroundings, node_id),
                    asked_to_stop=lambda: requests.asked > 0,
                    patience=_TO_LEARN_WHO,
                )
        except AskedToStop:
            log.info("node_never_joined", node=node_id)
            return 0
        node_log = None
        if tail is not None:
            node_log = stack.enter_context(_node_log(settings, me.id, tail))
        try:
            ended = _nom(
                settings, requests, me, surroundings, node_log, kept, while_opening
            )
        except NommerError as error:
            log.critical(
                "node_cannot_work", node=me.id, code=error.code, message=error.message
            )
            raise
        except Exception:
            log.exception("node_broken", node=me.id)
            raise
    if ended is _End.STUCK:
        os._exit(1)  # a thread that does not end would keep the process; claims lapse
    return 0 if ended is _End.IN_ORDER else 1


@dataclass(frozen=True, slots=True)
class _Me:
    """Who this node is, and what it runs on."""

    id: NodeId
    kind: str
    machine: Machine


class _End(Enum):
    """How a node's life ended."""

    IN_ORDER = auto()
    NO_GOOD = auto()
    STUCK = auto()


def _who(settings: Settings, surroundings: Surroundings, said: str | None) -> _Me:
    """Return who we are: as was said, else as the machine knows, else as we like."""
    found = surroundings.who()
    told = NodeId(said) if said else found.node
    by_fleet = BY_EC2 if settings.machine == "ec2" else BY_FLEET
    return _Me(
        id=told or new_node_id(system_clock.now()),
        kind=by_fleet if told else BY_HAND,
        machine=found.machine,
    )


def _node_log(settings: Settings, node: NodeId, tail: LogTail) -> NodeLog:
    url = node_log_url(settings.work.rstrip("/"), node)
    return NodeLog(wiring.open_work_area(settings), url, tail)


def _nom(
    settings: Settings,
    requests: Requests,
    me: _Me,
    surroundings: Surroundings,
    node_log: NodeLog | None,
    kept: bool,
    while_opening: Callable[[], AbstractContextManager[None]],
) -> _End:
    """Open what is needed, and live; return how that ended."""
    with ExitStack() as stack:
        try:
            with while_opening():
                engine = stack.enter_context(
                    opened_engine(
                        settings,
                        asked_to_stop=lambda: requests.asked > 0,
                        scratch=wiring.scratch_folder(settings, me.id),
                    )
                )
                with _telling_why_not(engine, me):
                    patiently(
                        lambda: check_needs(settings, engine, me.id),
                        asked_to_stop=lambda: requests.asked > 0,
                    )
                if kept:
                    patiently(
                        lambda: _keep(engine, me.id, me.kind),
                        asked_to_stop=lambda: requests.asked > 0,
                    )
        except AskedToStop:
            log.info("node_never_joined", node=me.id)
            return _End.IN_ORDER
        with _telling_why_not(engine, me):
            parts = stack.enter_context(wiring.worker_parts(settings, me.id))
        running = _running(settings, engine, me, parts)
        requests.go_to(running)
        if me.machine.market is Market.SPOT:
            listeners: list[Callable[[Notice], None]] = [running.take_notice]
            if node_log is not None:
                listeners.append(lambda _notice: node_log.hurry())
            stack.enter_context(NoticeWatch(surroundings, listeners))
        if not running.run():
            log.error("slots_did_not_stop", node=me.id)
            return _End.STUCK
        return _End.NO_GOOD if running.fault else _End.IN_ORDER


@contextmanager
def _telling_why_not(engine: Engine, me: _Me) -> Iterator[None]:
    """Have the record of a node that can never work say why; then pass the error on."""
    try:
        yield
    except NommerError as error:
        try:
            give_up(engine, me.id, error.message, kind=me.kind, machine=me.machine)
        except NommerError as refused:
            log.warning("end_not_told", code=refused.code, message=refused.message)
        raise


def _running(
    settings: Settings, engine: Engine, me: _Me, parts: wiring.WorkerParts
) -> RunningNode:
    work = wiring.work_policy(settings)
    policy = NodePolicy(
        slots=settings.slots_in_force,
        idle_timeout=settings.idle_timeout,
        drain_timeout=settings.drain_timeout,
    )
    runner = AttemptRunner(
        engine=engine,
        policy=work,
        nommers=parts.nommers,
        scratch=parts.scratch.attempt,
    )
    return RunningNode(
        engine, work, policy, runner, node=me.id, kind=me.kind, machine=me.machine
    )


def _keep(engine: Engine, node_id: NodeId, kind: str) -> None:
    """Have the node's record say that it stays."""
    now = engine.clock.now()
    node = Node(id=node_id, kind=kind, created_at=now, changed_at=now, kept=True)
    with suppress(AlreadyExists):
        engine.store.add_node(node)
    change_node(engine.store, node_id, lambda latest: replace(latest, kept=True))


def main() -> int:
    """Run ec2nommerd; return its exit status."""
    parser = argparse.ArgumentParser("ec2nommerd", description=__doc__)
    parser.add_argument("--node-id", help="the id of the launch intent of who starts it")
    parser.add_argument("--kept", action="store_true", help="never leave for idleness")
    said = parser.parse_args()
    try:
        return run_worker(load_settings(), said.node_id, kept=said.kept)
    except NommerError as error:
        sys.stderr.write(f"ec2nommerd: {error.message}\n{error.advice}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
