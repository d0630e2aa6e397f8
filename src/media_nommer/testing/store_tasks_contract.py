"""The part of the store's contract that is about tasks."""
# ruff: noqa: D102 - the name of a test is the sentence that it holds true

from dataclasses import replace

import pytest

from media_nommer.core.errors import Overtaken, TaskNotFound
from media_nommer.core.jobs import JobId
from media_nommer.core.nodes import NodeId
from media_nommer.core.ports.store import JobStore
from media_nommer.core.tasks import Task, TaskId
from media_nommer.testing.clock import START
from media_nommer.testing.concurrency import THREADS, at_once
from media_nommer.testing.samples import MINUTE, a_full_task, a_task


def _claimed(task: Task, number: int) -> Task:
    return task.claimed(NodeId(f"node-{number}"), lease=MINUTE, at=START + MINUTE)


class TasksContract:
    """What must hold of tasks in every store."""

    @pytest.fixture
    def store(self) -> JobStore:
        """Return an empty store."""
        raise NotImplementedError("give the suite a store")

    def test_a_task_comes_back_as_it_was_added(self, store: JobStore) -> None:
        assert store.add_task(a_full_task())

        stored = store.get_task(a_full_task().id)
        assert replace(stored, revision=0) == a_full_task()

    def test_a_second_task_of_one_id_changes_nothing(self, store: JobStore) -> None:
        assert store.add_task(a_task())
        first = store.get_task(a_task().id)

        assert not store.add_task(replace(a_task(), weight=0.5))

        assert store.get_task(a_task().id) == first

    def test_of_many_adding_one_task_one_is_told_that_it_was_new(
        self, store: JobStore
    ) -> None:
        answers = at_once(lambda number: store.add_task(replace(a_task(), weight=number)))

        assert sorted(map(bool, answers)) == [False] * (THREADS - 1) + [True]
        assert store.get_task(a_task().id).weight == answers.index(True)

    def test_a_task_that_nobody_added_is_not_found(self, store: JobStore) -> None:
        with pytest.raises(TaskNotFound):
            store.get_task(TaskId("nobody"))

        with pytest.raises(TaskNotFound):
            store.swap_task(a_task())

    def test_a_task_swap_is_seen_by_the_next_read(self, store: JobStore) -> None:
        store.add_task(a_task())

        swapped = store.swap_task(_claimed(store.get_task(a_task().id), 1))

        assert store.get_task(a_task().id) == swapped
        assert swapped.claims == 1

    def test_of_many_claims_of_one_task_exactly_one_holds(self, store: JobStore) -> None:
        """Rule 2: the store decides who owns a task."""
        store.add_task(a_task())
        for expected in range(1, 6):
            read = store.get_task(a_task().id)
            answers = at_once(lambda number: store.swap_task(_claimed(read, number)))  # noqa: B023

            won = [answer for answer in answers if isinstance(answer, Task)]
            lost = [answer for answer in answers if isinstance(answer, Overtaken)]
            assert (len(won), len(lost)) == (1, THREADS - 1)
            assert store.get_task(a_task().id) == won[0]
            assert won[0].claims == expected

    def test_a_late_commit_is_refused(self, store: JobStore) -> None:
        store.add_task(a_task())
        mine = store.swap_task(_claimed(store.get_task(a_task().id), 1))
        theirs = store.swap_task(_claimed(mine, 2))

        with pytest.raises(Overtaken):
            store.swap_task(mine.beaten(progress=1.0, at=START))

        assert store.get_task(a_task().id) == theirs

    def test_the_tasks_of_a_run_are_listed_by_creation(self, store: JobStore) -> None:
        store.add_task(a_task("b", minutes=2))
        store.add_task(a_task("a", minutes=3))
        store.add_task(a_task("c", minutes=1))
        store.add_task(a_task("other run", run=2))
        store.add_task(a_task("other job", job="job-0002"))

        tasks = store.tasks_of(JobId("job-0001"), 1)

        assert [task.key for task in tasks] == ["c", "b", "a"]
        assert store.tasks_of(JobId("job-0001"), 3) == ()

    def test_all_tasks_of_a_large_run_are_listed(self, store: JobStore) -> None:
        """A film in chunks has hundreds; a missing sibling would end the job early."""
        keys = [f"encode-{number:03}" for number in range(130)]
        for key in keys:
            store.add_task(a_task(key))

        assert sorted(task.key for task in store.tasks_of(JobId("job-0001"), 1)) == keys

    def test_siblings_show_what_was_stored_before_they_were_read(
        self, store: JobStore
    ) -> None:
        """Rule 3: of two that finish last, at least one sees the other."""
        for key in ("a", "b"):
            store.add_task(a_task(key))

        def settle_and_look(number: int) -> bool:
            mine = store.get_task(a_task("ab"[number]).id)
            store.swap_task(mine.done(at=START))
            return all(task.settled for task in store.tasks_of(JobId("job-0001"), 1))

        assert True in at_once(settle_and_look, threads=2)

    def test_unsettled_tasks_are_listed_the_longest_unchanged_first(
        self, store: JobStore
    ) -> None:
        for key, minutes in (("a", 3), ("b", 1), ("c", 2), ("d", 0)):
            store.add_task(a_task(key, minutes=minutes))
        settled = store.get_task(a_task("d").id).done(at=START)
        store.swap_task(settled)

        assert [task.key for task in store.unsettled_tasks()] == ["b", "c", "a"]
        assert [task.key for task in store.unsettled_tasks(limit=2)] == ["b", "c"]

    def test_a_change_moves_an_unsettled_task_to_the_end(self, store: JobStore) -> None:
        for key, minutes in (("a", 0), ("b", 1)):
            store.add_task(a_task(key, minutes=minutes))

        touched = store.get_task(a_task("a").id).put_again(at=START + 2 * MINUTE)
        store.swap_task(touched)

        assert [task.key for task in store.unsettled_tasks()] == ["b", "a"]

    def test_quiet_tasks_are_those_unchanged_since_then(self, store: JobStore) -> None:
        for key, minutes in (("a", 0), ("b", 1), ("c", 2)):
            store.add_task(a_task(key, minutes=minutes))

        quiet = store.unsettled_tasks(quiet_since=START + MINUTE)

        assert [task.key for task in quiet] == ["a", "b"]
