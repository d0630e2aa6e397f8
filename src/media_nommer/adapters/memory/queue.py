"""Deliveries in the memory of one process."""

import heapq
import itertools
import threading
from dataclasses import dataclass, field
from datetime import timedelta

from typing_extensions import override

from media_nommer.adapters.memory.turns import Turns
from media_nommer.core.clock import Clock, system_clock
from media_nommer.core.errors import LeaseLost
from media_nommer.core.jobs import Priority
from media_nommer.core.ports.queue import (
    Delivery,
    GiveUp,
    TaskQueue,
    goes_by_age,
    never_give_up,
    priorities_at,
)
from media_nommer.core.tasks import TaskId


@dataclass(slots=True)
class _Message:
    """``place`` is its valid one in the heaps; older ones left there mean nothing."""

    id: int
    task_id: TaskId
    place: int = 0
    turn: int = 0
    group: str | None = None
    free_from: float = 0.0
    token: str = ""
    times: int = 0
    priority: Priority = Priority.NORMAL


#: What it goes by, the place, and the message's id; places keep first come, first served.
_Heap = list[tuple[float, int, int]]


@dataclass(slots=True)
class _Line:
    """The messages of one priority: those that are hidden, and in two orders the others."""

    hidden: _Heap = field(default_factory=list)
    by_turn: _Heap = field(default_factory=list)
    by_age: _Heap = field(default_factory=list)
    turns: Turns = field(default_factory=Turns)


class MemoryQueue(TaskQueue):
    """Times its leases on ``clock.monotonic()``; gone with the process.

    With ``duplicates`` every ``put`` makes one more message, as SQS does; without, a task
    has one message at most.
    """

    def __init__(self, clock: Clock = system_clock, *, duplicates: bool = False) -> None:
        self._clock = clock
        self._duplicates = duplicates
        self._lock = threading.Lock()
        self._counter = itertools.count(1)
        self._messages: dict[int, _Message] = {}
        self._holders: dict[str, _Message] = {}
        self._by_task: dict[TaskId, int] = {}
        self._takes = 0
        self._lines = {priority: _Line() for priority in Priority}

    @override
    def put(
        self,
        task_id: TaskId,
        *,
        delay: timedelta = timedelta(),
        priority: Priority = Priority.NORMAL,
        group: str = "",
    ) -> None:
        """Make a task available after ``delay``; a hand-over of it is void."""
        free_from = self._after(delay)
        with self._lock:
            known = None if self._duplicates else self._by_task.get(task_id)
            message = self._messages[known] if known else self._new(task_id)
            held = self._holders.pop(message.token, None) is not None
            if known and not held:
                free_from = min(free_from, message.free_from)
            if held or (message.priority, message.group) != (priority, group):
                message.turn = self._lines[priority].turns.next_of(group)
            message.priority, message.group = priority, group
            self._hide(message, free_from)

    @override
    def take(
        self,
        lease: timedelta,
        *,
        wait: timedelta = timedelta(),
        give_up: GiveUp = never_give_up,
    ) -> Delivery | None:
        """Take the next message and hide it for ``lease``, or return None at once."""
        with self._lock:
            message = self._next_free()
            if message is None:
                return None
            self._holders.pop(message.token, None)
            self._lines[message.priority].turns.take(message.turn)
            message.times += 1
            message.token = f"{message.id}:{message.times}"
            self._holders[message.token] = message
            self._hide(message, self._after(lease))
            return Delivery(
                task_id=message.task_id, token=message.token, times=message.times
            )

    @override
    def keep(self, delivery: Delivery, lease: timedelta) -> None:
        """Hide a message for ``lease`` from now; zero hands it to the next taker."""
        with self._lock:
            self._hide(self._held(delivery), self._after(lease))

    @override
    def done(self, delivery: Delivery) -> None:
        """Remove a message for good."""
        with self._lock:
            message = self._held(delivery)
            del self._holders[message.token]
            del self._messages[message.id]
            if self._by_task.get(message.task_id) == message.id:
                del self._by_task[message.task_id]

    @override
    def depth(self) -> int:
        """Count messages, waiting or hidden."""
        with self._lock:
            return len(self._messages)

    def _new(self, task_id: TaskId) -> _Message:
        message = _Message(next(self._counter), task_id)
        self._messages[message.id] = message
        self._by_task[task_id] = message.id
        return message

    def _next_free(self) -> _Message | None:
        self._takes += 1
        for priority in priorities_at(self._takes):
            line = self._lines[priority]
            self._let_due_wait(line)
            message = self._first_of(
                line.by_age if goes_by_age(self._takes) else line.by_turn
            )
            if message is not None:
                return message
        return None

    def _let_due_wait(self, line: _Line) -> None:
        """Put hidden messages whose time has come among those who wait."""
        now = self._clock.monotonic()
        while line.hidden and line.hidden[0][0] <= now:
            free_from, place, message_id = heapq.heappop(line.hidden)
            message = self._messages.get(message_id)
            if message is not None and message.place == place:
                heapq.heappush(line.by_turn, (message.turn, place, message_id))
                heapq.heappush(line.by_age, (free_from, place, message_id))

    def _first_of(self, heap: _Heap) -> _Message | None:
        while heap:
            _, place, message_id = heapq.heappop(heap)
            message = self._messages.get(message_id)
            if message is not None and message.place == place:
                return message
        return None

    def _after(self, span: timedelta) -> float:
        return self._clock.monotonic() + span.total_seconds()

    def _hide(self, message: _Message, free_from: float) -> None:
        message.place = next(self._counter)
        message.free_from = free_from
        entry = (free_from, message.place, message.id)
        heapq.heappush(self._lines[message.priority].hidden, entry)

    def _held(self, delivery: Delivery) -> _Message:
        message = self._holders.get(delivery.token)
        if message is None:
            raise LeaseLost(f"task {delivery.task_id} is done, or was handed to another")
        return message
