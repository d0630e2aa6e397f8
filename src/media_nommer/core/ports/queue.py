"""Where workers find work: deliveries of tasks, at least once each."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from media_nommer.core.jobs import Priority
from media_nommer.core.tasks import TaskId

#: How often a take begins with a class that is not the highest: each 8th with NORMAL, each
#: 16th with LOW, so that the lower ones are slow under load and never starve.
_SHARE = 8

#: How often a take goes by age, of a queue that lets groups share: each 5th, which meets
#: each class in its time. Of new groups there may be no end, and older tasks would starve.
_OLDEST = 5

_FROM_HIGH = (Priority.HIGH, Priority.NORMAL, Priority.LOW)
_FROM_NORMAL = (Priority.NORMAL, Priority.HIGH, Priority.LOW)
_FROM_LOW = (Priority.LOW, Priority.HIGH, Priority.NORMAL)


def priorities_at(take: int) -> tuple[Priority, ...]:
    """Return the order in which a queue's ``take``-th take asks for the classes."""
    if take % (2 * _SHARE) == 0:
        return _FROM_LOW
    return _FROM_NORMAL if take % _SHARE == 0 else _FROM_HIGH


def goes_by_age(take: int) -> bool:
    """Return whether a queue's ``take``-th take gives what has waited longest its turn."""
    return take % _OLDEST == 0


#: Asked while a queue waits; answers whether to wait no longer.
GiveUp = Callable[[], bool]


def never_give_up() -> bool:
    """Let a wait run to its end."""
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One hand-over of a task's message, hidden from others while its lease runs.

    ``token`` is minted by the queue at every hand-over: a holder that comes back late
    still knows the task's id, but no longer the token. ``times`` counts the hand-overs of
    this message, this one included.
    """

    task_id: TaskId
    token: str
    times: int = 1


class TaskQueue(ABC):
    """Spreads work; it does not decide who owns a task, the store does (rule 2).

    A message is hidden from others for a lease, not for good: a worker that dies says
    nothing, its lease runs out, and the message is handed out again. Of those that wait
    the higher priority goes first, but for a small share (``priorities_at``); within a
    priority groups take turns where the queue can; beyond that order is best effort.
    A message that this version cannot read stays hidden and is handed to nobody (rule 4).
    Methods may be called from any thread, and raise ServiceUnavailable when the queue does
    not answer.

    Every adapter must pass ``media_nommer.testing.queue_contract``.
    """

    @abstractmethod
    def put(
        self,
        task_id: TaskId,
        *,
        delay: timedelta = timedelta(),
        priority: Priority = Priority.NORMAL,
        group: str = "",
    ) -> None:
        """Make a task available to workers after ``delay``, even if it was so already.

        A queue that keeps one message a task makes that one available again, and a
        hand-over of it is void; another kind of queue holds two messages then. A queue that
        can, lets a ``group`` with few messages not wait for one with many, nor any task for
        ever.
        """

    @abstractmethod
    def take(
        self,
        lease: timedelta,
        *,
        wait: timedelta = timedelta(),
        give_up: GiveUp = never_give_up,
    ) -> Delivery | None:
        """Take the next message and hide it for ``lease``; None if there is none.

        A queue that can be woken, or costs by the call, waits up to ``wait`` for a message
        to come, and asks ``give_up`` a few times a second; the others answer at once.
        """

    @abstractmethod
    def keep(self, delivery: Delivery, lease: timedelta) -> None:
        """Hide a message for ``lease`` counted from now; zero hands it to the next taker.

        Raises:
            LeaseLost: it has been handed to someone else, or is gone.
        """

    @abstractmethod
    def done(self, delivery: Delivery) -> None:
        """Remove a message for good.

        Raises:
            LeaseLost: it has been handed to someone else, or is gone. A queue that cannot
                know says nothing; it never removes what another holds.
        """

    @abstractmethod
    def depth(self) -> int:
        """Count messages, waiting or hidden. Queues may answer a little late."""
