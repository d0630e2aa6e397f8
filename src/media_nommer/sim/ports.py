"""The memory adapters as a world of faults shows them: late, twice, lost, or not at all."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from typing_extensions import override

from media_nommer.adapters.memory.queue import MemoryQueue
from media_nommer.adapters.memory.storage import MemoryStorage
from media_nommer.adapters.memory.store import MemoryStore
from media_nommer.core.errors import ServiceUnavailable
from media_nommer.core.jobs import Job, JobId, Priority
from media_nommer.core.ports.storage import (
    PLAIN,
    StopCheck,
    StoredObject,
    Traits,
    never_stop,
)
from media_nommer.core.tasks import Task, TaskId
from media_nommer.sim.world import World

Answer = TypeVar("Answer")

#: Store methods that a process may die before, or not hear the answer of.
_STORE_CALLS = (
    *("add_job", "get_job", "swap_job", "list_jobs", "add_task", "get_task", "swap_task"),
    *("tasks_of", "unsettled_tasks", "add_node", "get_node", "swap_node", "nodes"),
    *("forget_node", "get_duty", "swap_duty"),
)


class Violation(AssertionError):
    """Something happened that must never happen."""


class SimStore(MemoryStore):
    """A store whose every call is a turn; it watches over what may never change."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world
        for name in _STORE_CALLS:
            setattr(self, name, _faulty(world, getattr(self, name)))

    def stored(self, job_id: JobId) -> Job:
        """Return a job without a turn, for those who look from outside."""
        return self._jobs[job_id]

    @override
    def swap_task(self, task: Task) -> Task:
        """Swap a task, and check that a result on record is never another one."""
        known = self._tasks.get(task.id)
        swapped = super().swap_task(task)
        if known and known.succeeded and task.result != known.result:
            raise Violation(f"the committed result of task {task.id} was changed")
        return swapped


class SimQueue(MemoryQueue):
    """A queue like SQS that may lose a message, which SQS does not even do."""

    def __init__(self, world: World) -> None:
        super().__init__(world.clock, duplicates=True)
        self._world = world
        for name in ("take", "keep", "done", "depth"):
            setattr(self, name, _faulty(world, getattr(self, name)))

    @override
    def put(
        self,
        task_id: TaskId,
        *,
        delay: timedelta = timedelta(),
        priority: Priority = Priority.NORMAL,
        group: str = "",
    ) -> None:
        """Put a message, or two, or none."""
        world = self._world
        world.turn()
        if world.chance(world.faults.lose_message):
            return
        if world.chance(world.faults.delay_message):
            delay += timedelta(seconds=world.dice.random() * 90)
        super().put(task_id, delay=delay, priority=priority)
        if world.chance(world.faults.repeat_message):
            later = timedelta(seconds=world.dice.random() * 90)
            super().put(task_id, delay=later, priority=priority)


class SimStorage(MemoryStorage):
    """A storage whose every call is a turn; it counts the writes to each destination."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world
        self.writes: Counter[str] = Counter()
        for name in ("stat", "holds", "delete_below"):
            setattr(self, name, _faulty(world, getattr(self, name)))

    def place(self, url: str, data: bytes) -> None:
        """Put bytes at a URL, as an attempt does in its own part of the work area."""
        self._world.turn()
        self.write(url, data)

    def stands(self, url: str, size: int, digest: str) -> bool:
        """Return whether these bytes stand at a URL, for those who look from outside."""
        return MemoryStorage.holds(self, url, size=size, sha256=digest)

    def write(self, url: str, data: bytes) -> None:
        """Put bytes at a URL, whatever stands there, without a turn."""
        standing = MemoryStorage.stat(self, url)
        self._place(data, url, standing.version if standing else None)

    @override
    def copy(
        self,
        source: str,
        url: str,
        *,
        before: str | None = None,
        sha256: str | None = None,
        traits: Traits = PLAIN,
        stop: StopCheck = never_stop,
    ) -> StoredObject:
        """Copy in two turns: between the last look and the effect, anything may happen."""
        self._world.turn()
        if (reason := stop()) is not None:
            raise reason
        self._world.turn()
        stored = super().copy(source, url, before=before, traits=traits)
        self.writes[url] += 1
        return stored


def _faulty(world: World, call: Callable[..., Answer]) -> Callable[..., Answer]:
    """Return a call that takes a turn first, and whose answer may get lost."""

    def faulty(*args: object, **words: object) -> Answer:
        world.turn()
        if not world.chance(world.faults.outage):
            return call(*args, **words)
        if world.dice.random() < 0.5:
            call(*args, **words)
        raise ServiceUnavailable("no answer came")

    return faulty
