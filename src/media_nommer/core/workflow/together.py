"""Doing the same with many files, some at once: far away, waits add up."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")


def each_of(
    items: Sequence[Item], do: Callable[[Item], Answer], *, at_once: int
) -> list[Answer]:
    """Return what ``do`` makes of each item, in their order.

    So many are done at once, in threads; by one, in this one and in order. When one fails,
    none is begun any more, and nothing runs any more when the error of the first of those
    that failed is raised.
    """
    if min(at_once, len(items)) < 2:
        return [do(item) for item in items]
    with ThreadPoolExecutor(min(at_once, len(items)), thread_name_prefix="files") as pool:
        waiting = [pool.submit(do, item) for item in items]
        try:
            return [one.result() for one in waiting]
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
