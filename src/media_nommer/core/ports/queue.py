"""Where workers find work: deliveries of tasks, at least once each."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import timedelta

from media_nommer.core.tasks import TaskId


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
    nothing, its lease runs out, and the message is handed out again. Order is best effort.
    A message that this version cannot read stays hidden and is handed to nobody (rule 4).
    Methods may be called from any thread, and raise ServiceUnavailable when the queue does
    not answer.

    Every adapter must pass ``media_nommer.testing.queue_contract``.
    """

    @abstractmethod
    def put(self, task_id: TaskId, *, delay: timedelta = timedelta()) -> None:
        """Make a task available to workers after ``delay``, even if it was so already.

        A queue that keeps one message a task makes that one available again, and a
        hand-over of it is void; another kind of queue holds two messages then.
        """

    @abstractmethod
    def take(self, lease: timedelta) -> Delivery | None:
        """Take the next message and hide it for ``lease``, or return None at once."""

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
