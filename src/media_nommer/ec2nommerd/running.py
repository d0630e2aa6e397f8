"""A worker that runs: slots and keeper in threads, and the end decided in the first one."""

import os
import signal
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from types import FrameType

import structlog

from media_nommer.core.errors import (
    AccessDenied,
    InvalidSetting,
    NommerError,
    ServiceUnavailable,
)
from media_nommer.core.nodes import UNKNOWN_MACHINE, Machine, NodeId, NodeState
from media_nommer.core.ports.surroundings import Notice
from media_nommer.core.tasks import TaskState
from media_nommer.core.workflow.engine import Engine, WorkPolicy
from media_nommer.ec2nommerd.attempts import AttemptRunner
from media_nommer.ec2nommerd.fitness import Fitness
from media_nommer.ec2nommerd.node import NodeLife
from media_nommer.ec2nommerd.reasons import Reasons
from media_nommer.ec2nommerd.worker import Worker
from media_nommer.planning.fleet.leaving import is_hopeless

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePolicy:
    """How a node lives. Field names are those of the settings."""

    slots: int = 1
    idle_timeout: timedelta = timedelta(seconds=60)
    #: How long, when asked to leave, it goes on with what it works on.
    drain_timeout: timedelta = timedelta(seconds=30)
    #: How long what was handed back may take to stop.
    stop_timeout: timedelta = timedelta(seconds=15)
    #: How often an idle slot looks at a queue that it cannot wait at.
    look_every: timedelta = timedelta(milliseconds=200)
    #: How long it waits at one that it can: SQS's longest poll.
    wait_at_queue: timedelta = timedelta(seconds=20)
    #: How often a node that has been idle for long asks whether it may leave.
    ask_every: timedelta = timedelta(seconds=1)
    #: How long a store or queue may refuse a node before that is taken to be for good.
    refused_for: timedelta = timedelta(minutes=1)


class RunningNode:
    """One node, from joining to leaving. ``run`` is called once, ``ask_to_leave`` often."""

    def __init__(
        self,
        engine: Engine,
        work: WorkPolicy,
        policy: NodePolicy,
        runner: AttemptRunner,
        *,
        node: NodeId,
        kind: str,
        machine: Machine = UNKNOWN_MACHINE,
    ) -> None:
        self._engine = engine
        self._policy = policy
        self._beat_every = work.beat_every
        self._id = node
        self._kind = kind
        self._machine = machine
        self._reasons = Reasons(
            engine.clock,
            drain_timeout=policy.drain_timeout,
            refused_for=policy.refused_for,
        )
        fitness = Fitness(self._set_aside)
        self._over = threading.Event()
        self._wake = threading.Event()
        self._heard = threading.Event()
        self._heard.set()
        self._pool = ThreadPoolExecutor(policy.slots, thread_name_prefix="slot")
        self._life = NodeLife(
            engine,
            work,
            node,
            idle_timeout=policy.idle_timeout,
            worked=lambda: self._worker.worked,
            on_seen=lambda node: self._worker.runs_on(node.machine, kind=node.kind),
        )
        self._worker = Worker(
            engine,
            work,
            replace(runner, on_end=fitness.tried),
            node=node,
            slots=policy.slots,
            spawn=self._spawn,
            on_free=self._wake.set,
        )

    def ask_to_leave(self) -> None:
        """Let it drain; asked again, it hands back at once. Signal handlers may call it."""
        self._reasons.ask()  # no lock is taken: the main loop looks often enough

    def take_notice(self, notice: Notice) -> None:
        """Make ready for what a notice says, in the time that it leaves; any thread may."""
        log.warning("node_noticed", node=self._id, kind=notice.kind, at=str(notice.at))
        self._reasons.take(notice)
        self._wake.set()

    @property
    def fault(self) -> str:
        """Why this node is no good, empty for one that is."""
        return self._reasons.fault

    def run(self) -> bool:
        """Live; return whether all work was finished or handed back in good order."""
        if not self._join():
            return True
        log.info("node_joined", node=self._id, slots=self._policy.slots)
        keeper = threading.Thread(target=self._keep, name="keeper", daemon=True)
        keeper.start()
        try:
            why = self._work()
            in_order = self._drain(why)
        finally:
            self._over.set()
            keeper.join()
        why = self._reasons.why or why
        self._tell(NodeState.GONE, why)
        self._pool.shutdown(wait=in_order)
        log.info("node_left", node=self._id, why=why, in_order=in_order)
        return in_order

    def _join(self) -> bool:
        """Say that we are here once the store answers, unless asked to leave before."""
        while not self._reasons.why:
            try:
                self._life.join(
                    kind=self._kind,
                    host=socket.gethostname(),
                    pid=os.getpid(),
                    slots=self._policy.slots,
                    machine=self._machine,
                )
            except ServiceUnavailable as error:
                log.warning("service_awaited", code=error.code, message=error.message)
                self._over.wait(_seconds(self._policy.ask_every))
            else:
                return True
        return False

    def _set_aside(self, why: str) -> None:
        self._reasons.set_aside(why)
        self._wake.set()

    def _spawn(self, work: Callable[[], None]) -> None:
        self._pool.submit(work)

    def _work(self) -> str:
        """Take tasks until there is a reason to leave; return it."""
        ask_at = self._now()
        while True:
            if self._reasons.why:
                return self._reasons.why
            looked_at = self._now()
            if self._tick(min(self._policy.wait_at_queue, self._next_question())):
                continue
            if self._now() >= ask_at:
                if self._may_leave():
                    return "there was nothing to do"
                ask_at = self._now() + _seconds(self._next_question())
            if self._now() - looked_at < _seconds(self._policy.look_every):
                self._look_later()

    def _next_question(self) -> timedelta:
        """Return when to ask whether we may leave: often, once we could."""
        first = self._life.first_question(self._worker.idle_for)
        return max(first, self._policy.ask_every)

    def _tick(self, wait: timedelta) -> bool:
        # Who was not heard may have been taken for dead meanwhile, and is to take nothing.
        if not self._heard.is_set():
            self._heard.wait(_seconds(self._policy.ask_every))
            return False
        try:
            begun = self._worker.tick(wait=wait, give_up=lambda: bool(self._reasons.why))
        except NommerError as error:
            log.warning("tick_failed", code=error.code, message=error.message)
            self._note("taking", error)
        except Exception:
            log.exception("tick_broken")
        else:
            self._reasons.granted("taking")
            return begun
        self._over.wait(_seconds(self._policy.ask_every))
        return False

    def _may_leave(self) -> bool:
        if self._worker.busy:
            return False
        try:
            may = self._life.may_leave(self._worker.idle_for)
        except NommerError as error:
            log.warning("leave_not_decided", code=error.code, message=error.message)
            self._note("leaving", error)
        except Exception:
            log.exception("leaving_broken")
        else:
            self._reasons.granted("leaving")
            return may
        return False

    def _note(self, what: str, error: NommerError) -> None:
        """Remember that we were refused; other errors of a store or queue pass."""
        if isinstance(error, AccessDenied | InvalidSetting):
            self._reasons.refused(what, error)

    def _drain(self, why: str) -> bool:
        """Take nothing more; finish what is being worked on, or hand it back."""
        self._worker.drain()
        if not self._worker.busy:
            return True
        self._tell(NodeState.DRAINING, why)
        log.info("node_draining", node=self._id, busy=self._worker.busy)
        while self._worker.busy and self._now() < self._reasons.work_until:
            self._hand_back_hopeless()
            self._look_later()
        if self._worker.busy:
            log.info("node_handing_back", node=self._id, busy=self._worker.busy)
            self._worker.hand_back(self._reasons.to_hand_back(self._name))
            until = self._now() + _seconds(self._policy.stop_timeout)
            while self._worker.busy and self._now() < until:
                self._look_later()
        return not self._worker.busy

    def _hand_back_hopeless(self) -> None:
        """Hand back what will not be done before the machine goes: another begins it."""
        left = self._reasons.reclaim_leaves
        if left is None:
            return
        now = self._engine.clock.now()
        for held in self._worker.at_work:
            elapsed = (now - held.claim.since).total_seconds()
            done = 1.0 if held.task.state is TaskState.COMMITTED else held.reached
            if held.stopped is None and is_hopeless(
                elapsed=elapsed, progress=done, left=left
            ):
                log.info("task_handed_back", task=held.task.id, done=round(done, 3))
                held.stop(self._reasons.to_hand_back(self._name))

    def _look_later(self) -> None:
        self._wake.wait(_seconds(self._policy.look_every))
        self._wake.clear()

    @property
    def _name(self) -> str:
        """What people know this node by."""
        machine = self._machine.name
        return f"node {self._id}" + (f" ({machine})" if machine else "")

    def _keep(self) -> None:
        """Beat, for each claim and for the node, until all is over.

        A beat that was missed is tried again soon.
        """
        soon = min(self._beat_every, self._policy.ask_every)
        while not self._over.wait(
            _seconds(self._beat_every if self._heard.is_set() else soon)
        ):
            try:
                self._worker.beat()
                busy = self._worker.busy
                if self._life.is_shown(busy):
                    continue
                state = self._life.beat(busy)
            except NommerError as error:
                log.warning("node_beat_missed", code=error.code, message=error.message)
                self._heard.clear()
                self._note("beating", error)
            except Exception:
                log.exception("keeper_broken")
            else:
                self._reasons.granted("beating")
                if state in {NodeState.DRAINING, NodeState.GONE} and not self._reasons.why:
                    log.warning("node_told_to_leave", node=self._id, state=state)
                    self._reasons.ask()
                self._heard.set()

    def _tell(self, state: NodeState, why: str) -> None:
        try:
            self._life.leave(state, why)
        except NommerError as error:
            log.warning("leave_not_told", code=error.code, message=error.message)
        except Exception:
            log.exception("leave_not_told")

    def _now(self) -> float:
        return self._engine.clock.monotonic()


class Requests:
    """Requests to leave: they go to the node, those that came before it is there as well.

    They are taken until everything is put away, so that none ends the process before that.
    No lock is taken: who asks may have interrupted us anywhere, or be another thread.
    """

    def __init__(self) -> None:
        self.asked = 0
        self._waiting: deque[None] = deque()
        self._node: RunningNode | None = None

    def go_to(self, node: RunningNode) -> None:
        """Hand to ``node`` what has come, and what will."""
        self._node = node
        self._hand_on(node)

    def ask(self) -> None:
        """Take one more."""
        self.asked += 1
        self._waiting.append(None)
        if self._node is not None:
            self._hand_on(self._node)

    def take(self, _number: int, _frame: FrameType | None) -> None:
        """Take one more: a signal handler."""
        self.ask()

    def _hand_on(self, node: RunningNode) -> None:
        with suppress(IndexError):  # each goes once, whoever else hands on meanwhile
            while True:
                self._waiting.popleft()
                node.ask_to_leave()


@contextmanager
def leaving_on_signals() -> Iterator[Requests]:
    """Take SIGTERM and SIGINT as requests to leave."""
    requests = Requests()
    before = {s: signal.signal(s, requests.take) for s in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield requests
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _seconds(period: timedelta) -> float:
    return period.total_seconds()
