"""Deliveries on SQS: a queue for each priority, and one for what cannot be read."""

import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from math import ceil

import structlog
from typing_extensions import override

from media_nommer.adapters.aws.clients import AwsClients
from media_nommer.adapters.aws.sqs.calls import (
    LONGEST_HIDING,
    MOST_DELAY,
    BeyondTheCap,
    Message,
    SqsCalls,
)
from media_nommer.adapters.aws.sqs.leases import Held, Leases
from media_nommer.adapters.aws.sqs.polls import Polls
from media_nommer.core.clock import Clock, system_clock
from media_nommer.core.errors import LeaseLost, ServiceUnavailable
from media_nommer.core.jobs import Priority
from media_nommer.core.ports.queue import (
    Delivery,
    GiveUp,
    TaskQueue,
    never_give_up,
    priorities_at,
)
from media_nommer.core.tasks import TaskId
from media_nommer.core.wire import WIRE_VERSION, UnknownVersion, dump_message, load_message

log = structlog.get_logger(__name__)

#: From its receive on we hide a message for 12 hours less this: clocks differ.
_CAP = timedelta(seconds=LONGEST_HIDING - 300)

#: A keep that would add less than this share of a lease is left out, and costs nothing.
_WORTH_A_CALL = 0.25

#: This share of a lease must be left when a message is handed out.
_NEARLY_OVER = 0.25

#: Wall clocks that differ by this much do not hide a message once more.
_DUE_ENOUGH = timedelta(seconds=2)

#: How long, in seconds, what another version can read is left to it.
_FOR_OTHERS = 300


class SqsQueue(TaskQueue):
    """Maps take, keep and done onto receive, change-visibility and delete.

    SQS answers 200 to a delete with an outdated receipt, and lets an outdated one change
    when a message shows up. So we go by our own monotonic clock: after its lease has run
    out, no call is made for a delivery any more. What slips through is settled by the
    store (rule 2).

    Four standard queues, ``name-high``, ``name-normal``, ``name-low`` and
    ``name-unreadable``, are made at the first call if they are not there (unless not to
    ``create``). A message lives for 14 days at most; rule 4 puts a task again long before,
    and a message that is put again is a new one.

    Each take receives one message at most: a worker with one slot must not hide nine from
    the others, and a call costs $0.0000004. A task costs one send, one or two receives,
    one delete, and three to four keeps per lease. An idle worker that waits 20 s at a time
    makes 540 calls an hour, about half a cent a day; one that does not wait, and looks
    every 200 ms, makes 54,000, half a dollar a day.
    """

    def __init__(
        self,
        clients: AwsClients,
        name: str,
        clock: Clock = system_clock,
        *,
        create: bool = True,
        grace: timedelta = timedelta(seconds=1),
    ) -> None:
        """Serve ``sqs://name``; no call is made yet.

        ``grace`` is how long what was fetched ahead waits for a take before others get it.
        """
        self._clock = clock
        self._calls = SqsCalls(clients, name, create=create)
        self._lock = threading.Lock()
        self._takes = 0
        self._leases = Leases(clock)
        self._polls: Polls[Held] = Polls(self._poll, self._give_back, grace)

    @override
    def put(
        self,
        task_id: TaskId,
        *,
        delay: timedelta = timedelta(),
        priority: Priority = Priority.NORMAL,
        group: str = "",
    ) -> None:
        """Send a message, one more if the task has one.

        SQS delays by 15 minutes at most. A message for later says when it is due, by the
        wall clock, and who receives it earlier hides it for the rest.
        """
        seconds = _whole(delay)
        self._calls.send(
            priority,
            dump_message(task_id),
            delay=min(seconds, MOST_DELAY),
            group=group,
            due=self._clock.now() + delay if seconds > MOST_DELAY else None,
        )

    @override
    def take(
        self,
        lease: timedelta,
        *,
        wait: timedelta = timedelta(),
        give_up: GiveUp = never_give_up,
    ) -> Delivery | None:
        """Receive the next message, waiting for one on all three queues at once.

        A look that does not wait asks some of SQS's servers, which may miss what others
        hold: it takes no time, and a wait asks them all. So without ``wait``, None may be
        wrong when there is little on the queue.
        """
        order, lease = self._next_order(), min(lease, _CAP)
        held = self._here(order, lease, waits=bool(wait))
        if held is None and wait and not give_up():
            held = self._to_come(order, lease, wait, give_up)
        return None if held is None else self._leases.hand_out(held)

    @override
    def keep(self, delivery: Delivery, lease: timedelta) -> None:
        """Hide a message for ``lease`` from now, to a quarter less; zero hands it over.

        Seconds are whole, and rounded up. Near the 12 hours that SQS hides a message, the
        task is put again with the lease as its delay, and this delivery is lost at the
        next call: whoever gets the new message finds the task claimed, or its owner dead.
        """
        with self._holding(delivery) as held:
            left = held.ends - self._clock.monotonic()
            span = lease.total_seconds()
            if span <= 0:
                self._calls.hide(held.message, 0)
                self._leases.forget(delivery)
            elif not span * (1 - _WORTH_A_CALL) <= left <= span:
                self._keep(delivery, held, lease)

    @override
    def done(self, delivery: Delivery) -> None:
        """Remove a message, as long as its lease runs by our own clock."""
        with self._holding(delivery) as held:
            self._calls.delete(held.message)
            self._leases.forget(delivery)

    @override
    def depth(self) -> int:
        """Count the messages of all priorities; SQS answers up to a minute late."""
        return sum(self._calls.count(priority) for priority in Priority)

    def close(self) -> None:
        """Hand back what was fetched ahead; takes wait no longer from now on."""
        self._polls.close()

    def _next_order(self) -> Sequence[Priority]:
        with self._lock:
            self._takes += 1
            return priorities_at(self._takes)

    def _here(
        self, order: Sequence[Priority], lease: timedelta, *, waits: bool
    ) -> Held | None:
        """Return what is there, the first class first; one being polled is empty."""
        for priority in order:
            while (kept := self._polls.pop(priority)) is not None:
                if (fresh := self._fresh(kept, lease)) is not None:
                    return fresh
            if waits and self._polls.is_empty(priority):
                continue
            if (found := self._look(priority, lease)) is not None:
                return found
        return None

    def _to_come(
        self, order: Sequence[Priority], lease: timedelta, wait: timedelta, give_up: GiveUp
    ) -> Held | None:
        until = time.monotonic() + wait.total_seconds()
        while (held := self._polls.wait(order, lease, until, give_up)) is not None:
            if (fresh := self._fresh(held, lease)) is not None:
                return fresh
        return None

    def _fresh(self, held: Held, lease: timedelta) -> Held | None:
        """Return what was received, hidden for ``lease``, if it is safely ours."""
        left = held.ends - self._clock.monotonic()
        if left < held.lease * _NEARLY_OVER:
            return None  # it shows up by itself; by now another may hold it
        if left >= lease.total_seconds() * (1 - _WORTH_A_CALL):
            return held
        try:
            return self._hidden(held, lease)
        except (LeaseLost, BeyondTheCap):
            return None

    def _look(self, priority: Priority, lease: timedelta) -> Held | None:
        """Return what is there now, can be read, and was not answered too late."""
        while (found := self._receive(priority, lease, 0)) is not None:
            held = self._read(*found)
            if held is not None and (fresh := self._fresh(held, lease)) is not None:
                return fresh
        return None

    def _poll(self, priority: Priority, lease: timedelta, seconds: int) -> Held | None:
        found = self._receive(priority, lease, seconds)
        return None if found is None else self._read(*found)

    def _receive(
        self, priority: Priority, lease: timedelta, wait: int
    ) -> tuple[Message, float, float] | None:
        """Return a message, the moment from which its lease counts, and the lease.

        SQS has not hidden it later than at the poll's end, however late we read the
        answer: this process may have been stopped meanwhile.
        """
        asked = self._clock.monotonic()
        message = self._calls.receive(priority, hidden=max(1, _whole(lease)), wait=wait)
        if message is None:
            return None
        return message, min(self._clock.monotonic(), asked + wait), lease.total_seconds()

    def _read(self, message: Message, since: float, span: float) -> Held | None:
        """Return a message that is for us now; see to any other."""
        try:
            task_id = load_message(message.body)
        except (UnknownVersion, RecursionError):
            self._put_away(message)
            return None
        early = timedelta() if message.due is None else message.due - self._clock.now()
        if early > _DUE_ENOUGH:
            self._hide(message, _whole(min(early, _CAP)))
            return None
        return Held(
            task_id=task_id, message=message, since=since, lease=span, ends=since + span
        )

    def _put_away(self, message: Message) -> None:
        """Leave another version's message to it; move what is nobody's out of the way."""
        if _of_another_version(message.body):
            self._hide(message, _FOR_OTHERS)
            return
        log.warning("message_unreadable", priority=message.priority)
        with suppress(LeaseLost):
            self._calls.set_aside(message)

    def _hide(self, message: Message, seconds: int) -> None:
        with suppress(LeaseLost):
            self._calls.hide(message, seconds)

    def _give_back(self, held: Held) -> None:
        if self._clock.monotonic() < held.ends:
            self._hide(held.message, 0)

    @contextmanager
    def _holding(self, delivery: Delivery) -> Iterator[Held]:
        """Give the message of a delivery; forget it where SQS says that it is not ours."""
        held = self._leases.of(delivery)
        try:
            yield held
        except LeaseLost:
            self._leases.forget(delivery)
            raise

    def _keep(self, delivery: Delivery, held: Held, lease: timedelta) -> None:
        """Hide a message, or put a new one in its place if it cannot be hidden so long."""
        over = self._clock.monotonic() + lease.total_seconds()
        with suppress(BeyondTheCap):
            if over <= held.since + _CAP.total_seconds():
                self._leases.renew(delivery, self._hidden(held, lease))
                return
        message = held.message
        self.put(held.task_id, delay=lease, priority=message.priority, group=message.group)
        self._leases.forget(delivery)
        # If it stays, it shows up when its lease ends, and finds the task claimed.
        with suppress(LeaseLost, ServiceUnavailable):
            self._calls.delete(message)

    def _hidden(self, held: Held, lease: timedelta) -> Held:
        """Hide a message for longer, or for less."""
        now = self._clock.monotonic()
        self._calls.hide(held.message, _whole(lease))
        span = lease.total_seconds()
        return replace(held, lease=span, ends=now + span)


def _whole(span: timedelta) -> int:
    return max(0, ceil(span.total_seconds()))


def _of_another_version(body: str) -> bool:
    """Return whether a message that we cannot read is one of media-nommer all the same."""
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        return False
    version = message.get("v") if isinstance(message, dict) else None
    return type(version) is int and version != WIRE_VERSION
