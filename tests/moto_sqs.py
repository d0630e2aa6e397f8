"""Where moto's SQS is not Amazon's, and a clock for it that tests can move.

What is corrected here, each from Amazon's API reference of the action:

- DeleteMessage with an outdated receipt succeeds and removes nothing (moto removes it);
- ChangeMessageVisibility counts its 12 hours from the receive (moto: from the sending), and
  refuses a message that is not in flight (moto changes it);
- a message whose time has come is visible at once (moto: a moment later, which on a clock
  that stands still is never);
- actions on one queue do not lose or double messages when they meet (moto has no locks).

An outdated receipt may still change when a message shows up, here as in moto: Amazon does
not say that it cannot, so we must not rely on it.
"""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from moto.sqs import models
from moto.sqs.exceptions import InvalidParameterValue, ReceiptHandleIsInvalid, SQSException

from media_nommer.core.clock import Clock
from media_nommer.testing.clock import START

#: How long a poll rests between two looks.
_LOOK_EVERY = 0.01
_CAP = 43_200

_Backend, _Message, _Queue = models.SQSBackend, models.Message, models.Queue
_receive = _Backend.receive_message
_mark_received = _Message.mark_received
_unlocked: dict[str, Callable[..., Any]] = {
    name: getattr(_Backend, name)
    for name in ("create_queue", "send_message", "delete_message", "get_queue_attributes")
}
_lock = threading.RLock()


def correct(
    patch: pytest.MonkeyPatch, *, clock: Clock | None = None, second: float = 1.0
) -> None:
    """Let moto's SQS do as Amazon's does, until ``patch`` is undone.

    With a ``clock`` it goes by its monotonic time. ``second`` is how long a second of a
    long poll lasts, in seconds: less, where a test waits for a poll to end.
    """
    if clock is not None:
        patch.setattr(models, "unix_time", lambda *_: START.timestamp() + clock.monotonic())
    patch.setattr(models, "unix_time_millis", lambda *_: models.unix_time() * 1000)
    patch.setattr(_Message, "visible", property(_visible))
    patch.setattr(_Message, "mark_received", _received)
    patch.setattr(_Queue, "delete_message", _delete)
    patch.setattr(_Backend, "change_message_visibility", _change_visibility)
    patch.setattr(_Backend, "receive_message", _receiving(second))
    for name, action in _unlocked.items():
        patch.setattr(_Backend, name, _one_at_a_time(action))


def _one_at_a_time(action: Callable[..., Any]) -> Callable[..., Any]:
    def locked(self: Any, *args: Any, **kwargs: Any) -> Any:
        with _lock:
            return action(self, *args, **kwargs)

    return locked


def _receiving(second: float) -> Callable[..., Any]:
    def receive(
        self: Any, name: str, count: int, wait: int, hidden: int, attributes: Any = None
    ) -> list[Any]:
        until = time.monotonic() + wait * second
        while True:
            with _lock:
                found: list[Any] = _receive(self, name, count, 0, hidden, attributes)
            if found or time.monotonic() >= until:
                return found
            time.sleep(_LOOK_EVERY)

    return receive


def _visible(message: Any) -> bool:
    return bool(models.unix_time_millis() >= message.visible_at)


def _received(message: Any, visibility_timeout: int | None = None) -> None:
    message.received_at = models.unix_time()
    _mark_received(message, visibility_timeout)


def _delete(queue: Any, receipt: str) -> None:
    for message in queue._messages:
        if message.had_receipt_handle(receipt):
            if message.receipt_handle == receipt:
                queue._messages = [m for m in queue._messages if m is not message]
                queue.pending_messages.discard(message)
                queue.deleted_messages.update(message.all_receipt_handles)
            return
    if receipt not in queue.deleted_messages:
        raise ReceiptHandleIsInvalid


def _change_visibility(
    self: Any, queue_name: str, receipt_handle: str, visibility_timeout: int
) -> None:
    seconds = int(visibility_timeout)
    with _lock:
        for message in self.get_queue(queue_name)._messages:
            if not message.had_receipt_handle(receipt_handle):
                continue
            if message.visible:
                raise SQSException(
                    "AWS.SimpleQueueService.MessageNotInflight", "It is not in flight."
                )
            if models.unix_time() + seconds - message.received_at > _CAP:
                raise InvalidParameterValue(
                    f"Value {seconds} for parameter VisibilityTimeout is invalid. Reason: "
                    f"Total VisibilityTimeout for the message is beyond the limit [{_CAP} "
                    "seconds]."
                )
            message.change_visibility(seconds)
            return
    raise InvalidParameterValue(
        f"Value {receipt_handle} for parameter ReceiptHandle is invalid. Reason: Message "
        "does not exist or is not available for visibility timeout change."
    )
