"""Noticing that work comes to harm on this machine, whatever the work is."""

import threading
from collections import deque
from collections.abc import Callable

import structlog

from media_nommer.core.workflow.claims import HeldTask
from media_nommer.planning.fleet.trials import TRIALS_KEPT, Trial, spoils_work, trial_of

log = structlog.get_logger(__name__)


class Fitness:
    """Remembers how the last attempts on this node ended; any slot may tell it.

    ``on_unfit`` is told in words once too many have failed.
    """

    def __init__(self, on_unfit: Callable[[str], None]) -> None:
        self._on_unfit = on_unfit
        self._trials: deque[Trial] = deque(maxlen=TRIALS_KEPT)
        self._lock = threading.Lock()

    def tried(self, held: HeldTask) -> None:
        """Learn from an attempt that has ended."""
        trial = trial_of(held.task, held.number)
        if trial is None:
            return
        with self._lock:
            self._trials.append(trial)
            trials = tuple(self._trials)
        if spoils_work(trials):
            codes = ", ".join(trial.code for trial in trials)
            log.error("node_unfit", codes=codes)
            self._on_unfit(f"task after task failed on it ({codes})")
