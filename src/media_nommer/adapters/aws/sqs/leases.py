"""What this process holds of SQS's messages, and for how long, by its own clock."""

import secrets
import threading
from dataclasses import dataclass

from media_nommer.adapters.aws.sqs.calls import Message
from media_nommer.core.clock import Clock
from media_nommer.core.errors import LeaseLost
from media_nommer.core.ports.queue import Delivery
from media_nommer.core.tasks import TaskId


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A message hidden for us: received at ``since``, ours until ``ends``.

    Both are moments of ``clock.monotonic()``; ``lease`` is the span, in seconds, that it
    was last hidden for.
    """

    task_id: TaskId
    message: Message
    since: float
    lease: float
    ends: float


class Leases:
    """Says what a delivery's token stands for, as long as its lease runs."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._held: dict[str, Held] = {}

    def hand_out(self, held: Held) -> Delivery:
        """Return the delivery that stands for a message; forget those that are over."""
        token, now = secrets.token_hex(8), self._clock.monotonic()
        with self._lock:
            for known in [known for known, h in self._held.items() if h.ends <= now]:
                del self._held[known]
            self._held[token] = held
        return Delivery(task_id=held.task_id, token=token, times=held.message.times)

    def of(self, delivery: Delivery) -> Held:
        """Return the message that a delivery stands for.

        Raises:
            LeaseLost: its lease has run out, so that another may hold it; or it is gone.
        """
        with self._lock:
            held = self._held.get(delivery.token)
            if held is None or held.ends <= self._clock.monotonic():
                self._held.pop(delivery.token, None)
                raise LeaseLost(f"the lease of task {delivery.task_id} is over")
            return held

    def renew(self, delivery: Delivery, held: Held) -> None:
        """Remember that a message is held for longer, or less, unless it is gone."""
        with self._lock:
            if delivery.token in self._held:
                self._held[delivery.token] = held

    def forget(self, delivery: Delivery) -> None:
        """Remember that a delivery stands for nothing any more."""
        with self._lock:
            self._held.pop(delivery.token, None)
