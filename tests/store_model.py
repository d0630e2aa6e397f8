"""Random changes and questions, asked of a store and of the memory's, which must agree."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from hypothesis import strategies as st

from media_nommer.adapters.memory import MemoryStore
from media_nommer.core.errors import NommerError
from media_nommer.core.jobs import NEXT_JOB_STATES, Job, JobState
from media_nommer.core.nodes import NEXT_NODE_STATES, NodeState
from media_nommer.core.ports.store import JobFilter, JobStore
from media_nommer.core.tasks import Task
from media_nommer.testing.clock import START
from media_nommer.testing.samples import a_job, a_node, a_task

SECOND = timedelta(seconds=1)

#: Makes of a store an answer that another store's can be compared with.
Step = Callable[[JobStore], object]

numbers = st.integers(0, 4)
seconds = st.integers(0, 200)
labels = st.sampled_from(["", "a", "it's", '"`\x00'])


@dataclass(frozen=True)
class Named:
    """A step that a failing example shows by its name and arguments."""

    name: str
    arguments: tuple[object, ...]
    do: Step

    def __repr__(self) -> str:
        return f"{self.name}{self.arguments}"


def agree(store: JobStore, steps: list[Named]) -> None:
    """Check that a store answers as the memory's does, step by step."""
    model = MemoryStore()
    for step in steps:
        assert _answer(store, step) == _answer(model, step), step


def _answer(store: JobStore, step: Named) -> object:
    try:
        return step.do(store)
    except NommerError as error:
        return type(error)


def _add_job(number: int, at: int, label: str) -> Step:
    tags = {label: "x", "all": label} if label else {}
    presets = ("web", label) if label else ()
    job = a_job(number, minutes=at / 60, tags=tags, presets=presets)
    return lambda store: store.add_job(job)


def _move_job(number: int, state: JobState, at: int) -> Step:
    def move(store: JobStore) -> object:
        job = store.get_job(a_job(number).id)
        if state not in NEXT_JOB_STATES[job.state]:
            return store.swap_job(replace(job, progress=at / 200))
        return store.swap_job(job.moved_to(state, at=START + at * SECOND))

    return move


def _list(wanted: JobFilter, limit: int) -> Step:
    def pages(store: JobStore) -> list[Job]:
        found, cursor = list[Job](), None
        while True:
            page = store.list_jobs(wanted, limit=limit, cursor=cursor)
            assert len(page.jobs) <= limit
            found += page.jobs
            if (cursor := page.cursor) is None:
                return found

    return pages


def _task(number: int, at: int) -> Task:
    return a_task(f"t{number}", job=a_job(number % 2).id, minutes=at / 60)


def _touch_task(number: int, at: int, settle: bool) -> Step:
    def touch(store: JobStore) -> object:
        task = store.get_task(_task(number, 0).id)
        moment = START + at * SECOND
        if settle and not task.settled:
            return store.swap_task(task.done(at=moment))
        return store.swap_task(task.put_again(at=moment))

    return touch


def _move_node(number: int, state: NodeState) -> Step:
    def move(store: JobStore) -> object:
        node = store.get_node(a_node(f"node-{number}").id)
        if state not in NEXT_NODE_STATES[node.state]:
            return store.swap_node(node.beaten(busy=1, at=START))
        return store.swap_node(node.moved_to(state, at=START))

    return move


def _quiet(at: int) -> Step:
    return lambda store: store.unsettled_tasks(quiet_since=START + at * SECOND)


def _named(name: str, make: Callable[..., Step], *parts: st.SearchStrategy[object]):  # type: ignore[no-untyped-def]
    return st.tuples(*parts).map(lambda given: Named(name, given, make(*given)))


filters = st.builds(
    JobFilter,
    states=st.lists(st.sampled_from(JobState), max_size=3).map(tuple),
    tag=st.none() | st.tuples(labels, st.just("x")) | st.tuples(st.just("all"), labels),
    preset=st.none() | labels | st.just("web"),
    since=st.none() | seconds.map(lambda at: START + at * SECOND),
    until=st.none() | seconds.map(lambda at: START + at * SECOND),
)

steps = st.lists(
    st.one_of(
        _named("add_job", _add_job, numbers, seconds, labels),
        _named("move_job", _move_job, numbers, st.sampled_from(JobState), seconds),
        _named("list", _list, filters, st.integers(1, 3)),
        _named("add_task", lambda n, at: lambda s: s.add_task(_task(n, at)), numbers,
               seconds),
        _named("touch_task", _touch_task, numbers, seconds, st.booleans()),
        _named("quiet", _quiet, seconds),
        _named("unsettled", lambda: lambda s: s.unsettled_tasks()),
        _named("tasks_of", lambda n: lambda s: s.tasks_of(a_job(n).id, 1), numbers),
        _named("forget_job", lambda n: lambda s: s.forget_job(a_job(n).id, 2), numbers),
        _named("add_node", lambda n: lambda s: s.add_node(a_node(f"node-{n}")), numbers),
        _named("move_node", _move_node, numbers, st.sampled_from(NodeState)),
        _named("nodes", lambda gone: lambda s: s.nodes(gone=gone), st.booleans()),
        _named("forget_node", lambda n: lambda s: s.forget_node(a_node(f"node-{n}").id),
               numbers),
    ),
    min_size=5,
    max_size=30,
)  # fmt: skip
