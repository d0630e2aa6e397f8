"""A worker that runs: slots and keeper in threads, and the end decided in the first one."""

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from types import FrameType

import structlog

from media_nommer.core.errors import NommerError, ServiceUnavailable
from media_nommer.core.nodes import NodeId, NodeState
from media_nommer.core.workflow.engine import Engine, WorkPolicy
from media_nommer.ec2nommerd.attempts import AttemptRunner
from media_nommer.ec2nommerd.node import NodeLife
from media_nommer.ec2nommerd.worker import Worker

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
    ) -> None:
        self._engine = engine
        self._policy = policy
        self._beat_every = work.beat_every
        self._id = node
        self._kind = kind
        self._asked = 0
        self._over = threading.Event()
        self._wake = threading.Event()
        self._pool = ThreadPoolExecutor(policy.slots, thread_name_prefix="slot")
        self._life = NodeLife(engine, work, node, idle_timeout=policy.idle_timeout)
        self._worker = Worker(
            engine,
            work,
            runner,
            node=node,
            slots=policy.slots,
            spawn=self._spawn,
            on_free=self._wake.set,
        )

    def ask_to_leave(self) -> None:
        """Let it drain; asked again, it hands back at once. Signal handlers may call it."""
        self._asked += 1  # no lock is taken: the main loop looks often enough

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
        self._tell(NodeState.GONE, why)
        self._pool.shutdown(wait=in_order)
        log.info("node_left", node=self._id, why=why, in_order=in_order)
        return in_order

    def _join(self) -> bool:
        """Say that we are here once the store answers, unless asked to leave before."""
        while not self._asked:
            try:
                self._life.join(
                    kind=self._kind,
                    host=socket.gethostname(),
                    pid=os.getpid(),
                    slots=self._policy.slots,
                )
            except ServiceUnavailable as error:
                log.warning("service_awaited", code=error.code, message=error.message)
                self._over.wait(_seconds(self._policy.ask_every))
            else:
                return True
        return False

    def _spawn(self, work: Callable[[], None]) -> None:
        self._pool.submit(work)

    def _work(self) -> str:
        """Take tasks until there is a reason to leave; return it."""
        ask_at = self._now()
        while True:
            if self._asked:
                return "it was asked to leave"
            looked_at = self._now()
            if self._tick(min(self._policy.wait_at_queue, self._next_question())):
                continue
            if self._now() >= ask_at:
                if self._may_leave():
                    return "there was nothing to do"
                ask_at = self._now() + _seconds(self._next_question())
            if self._now() - looked_at < _seconds(self._policy.look_every):
                self._wake.wait(_seconds(self._policy.look_every))
                self._wake.clear()

    def _next_question(self) -> timedelta:
        """Return when to ask whether we may leave: often, once we could."""
        first = self._life.first_question(self._worker.idle_for)
        return max(first, self._policy.ask_every)

    def _tick(self, wait: timedelta) -> bool:
        try:
            return self._worker.tick(wait=wait, give_up=lambda: self._asked > 0)
        except NommerError as error:
            log.warning("tick_failed", code=error.code, message=error.message)
        except Exception:
            log.exception("tick_broken")
        self._over.wait(_seconds(self._policy.ask_every))
        return False

    def _may_leave(self) -> bool:
        if self._worker.busy:
            return False
        try:
            return self._life.may_leave(self._worker.idle_for)
        except NommerError as error:
            log.warning("leave_not_decided", code=error.code, message=error.message)
            return False

    def _drain(self, why: str) -> bool:
        """Take nothing more; finish what is being worked on, or hand it back."""
        self._worker.drain()
        if not self._worker.busy:
            return True
        self._tell(NodeState.DRAINING, why)
        log.info("node_draining", node=self._id, busy=self._worker.busy)
        self._wait(self._policy.drain_timeout, lambda: self._asked > 1)
        if self._worker.busy:
            log.info("node_handing_back", node=self._id, busy=self._worker.busy)
            self._worker.hand_back()
            self._wait(self._policy.stop_timeout, lambda: False)
        return not self._worker.busy

    def _wait(self, period: timedelta, hurried: Callable[[], bool]) -> None:
        """Wait until nothing is worked on, or somebody hurries us, or it takes long."""
        until = self._now() + _seconds(period)
        while self._worker.busy and self._now() < until and not hurried():
            self._wake.wait(_seconds(self._policy.look_every))
            self._wake.clear()

    def _keep(self) -> None:
        """Beat, for each claim and for the node, until all is over."""
        while not self._over.wait(_seconds(self._beat_every)):
            try:
                self._worker.beat()
                state = self._life.beat(self._worker.busy)
            except NommerError as error:
                log.warning("node_beat_missed", code=error.code, message=error.message)
            except Exception:
                log.exception("keeper_broken")
            else:
                if state in {NodeState.DRAINING, NodeState.GONE} and not self._asked:
                    log.warning("node_told_to_leave", node=self._id, state=state)
                    self._asked = 1

    def _tell(self, state: NodeState, why: str) -> None:
        try:
            self._life.leave(state, why)
        except NommerError as error:
            log.warning("leave_not_told", code=error.code, message=error.message)

    def _now(self) -> float:
        return self._engine.clock.monotonic()


class Requests:
    """Requests to leave: they go to the node, those that came before it is there as well.

    They are taken until everything is put away, so that none ends the process before that.
    """

    def __init__(self) -> None:
        self._count = 0
        self._node: RunningNode | None = None

    def go_to(self, node: RunningNode) -> None:
        """Hand to ``node`` what has come, and what will."""
        self._node = node
        for _ in range(self._count):
            node.ask_to_leave()

    def take(self, _number: int, _frame: FrameType | None) -> None:
        """Take one more: a signal handler."""
        self._count += 1
        if self._node is not None:
            self._node.ask_to_leave()


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
