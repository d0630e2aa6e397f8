"""Many threads doing one thing at the same moment."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from media_nommer.core.errors import NommerError

Answer = TypeVar("Answer")

#: Enough to collide, few enough for a small machine.
THREADS = 8


def at_once(
    action: Callable[[int], Answer], *, threads: int = THREADS
) -> list[Answer | NommerError]:
    """Call ``action`` with 0, 1, … from as many threads at once.

    Returns what each call answered, in that order; an error of ours is an answer, any
    other is raised here.
    """
    start = threading.Barrier(threads)

    def run(number: int) -> Answer | NommerError:
        start.wait()
        try:
            return action(number)
        except NommerError as error:
            return error

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, range(threads)))
