"""What every job store must do: subclass ``StoreContract`` and give it a ``store``.

class TestMyStore(StoreContract):
    @pytest.fixture
    def store(self) -> JobStore:
        return MyStore(...)  # empty
"""
# ruff: noqa: D102 - the name of a test is the sentence that it holds true

from dataclasses import replace

import pytest

from media_nommer.core.errors import AlreadyExists, InvalidCursor, JobNotFound, Overtaken
from media_nommer.core.jobs import Job, JobId, JobState
from media_nommer.core.ports.store import JobFilter, JobStore
from media_nommer.testing.clock import START
from media_nommer.testing.concurrency import THREADS, at_once
from media_nommer.testing.samples import MINUTE, a_full_job, a_job, a_task
from media_nommer.testing.store_nodes_contract import NodesContract
from media_nommer.testing.store_tasks_contract import TasksContract


class JobsContract:
    """The part of the store's contract that is about jobs."""

    @pytest.fixture
    def store(self) -> JobStore:
        """Return an empty store."""
        raise NotImplementedError("give the suite a store")

    def test_a_job_comes_back_as_it_was_added(self, store: JobStore) -> None:
        added = store.add_job(a_full_job())

        assert store.get_job(added.id) == added
        assert replace(added, revision=0) == a_full_job()

    def test_a_job_is_added_once(self, store: JobStore) -> None:
        first = store.add_job(a_job())

        with pytest.raises(AlreadyExists):
            store.add_job(a_job(source="file:///another"))

        assert store.get_job(first.id) == first

    def test_of_many_adding_one_job_one_is_told_that_it_was_new(
        self, store: JobStore
    ) -> None:
        answers = at_once(lambda number: store.add_job(a_job(source=f"file:///{number}")))

        added = [job for job in answers if isinstance(job, Job)]
        assert len(added) == 1
        assert store.get_job(a_job().id) == added[0]
        assert sum(isinstance(error, AlreadyExists) for error in answers) == THREADS - 1

    def test_a_job_that_nobody_added_is_not_found(self, store: JobStore) -> None:
        with pytest.raises(JobNotFound):
            store.get_job(JobId("nobody"))

        with pytest.raises(JobNotFound):
            store.swap_job(a_job())

    def test_a_swap_is_seen_by_the_next_read(self, store: JobStore) -> None:
        added = store.add_job(a_job())

        swapped = store.swap_job(added.moved_to(JobState.RUNNING, at=START + MINUTE))

        assert store.get_job(added.id) == swapped
        assert swapped.state is JobState.RUNNING
        assert swapped.revision > added.revision

    def test_a_change_based_on_an_older_version_is_refused(self, store: JobStore) -> None:
        old = store.add_job(a_job())
        new = store.swap_job(replace(old, progress=0.5))

        with pytest.raises(Overtaken):
            store.swap_job(replace(old, progress=0.1))

        assert store.get_job(old.id) == new

    def test_a_revision_from_the_future_is_refused(self, store: JobStore) -> None:
        added = store.add_job(a_job())

        with pytest.raises(Overtaken):
            store.swap_job(replace(added, revision=added.revision + 7))

    def test_of_many_swaps_of_one_revision_exactly_one_is_believed(
        self, store: JobStore
    ) -> None:
        read = store.add_job(a_job())
        for _ in range(5):
            answers = at_once(lambda n: store.swap_job(replace(read, source=f"f:{n}")))  # noqa: B023

            won = [answer for answer in answers if isinstance(answer, Job)]
            lost = [answer for answer in answers if isinstance(answer, Overtaken)]
            assert (len(won), len(lost)) == (1, THREADS - 1)
            read = store.get_job(read.id)
            assert read == won[0]

    def test_no_swap_is_lost_when_many_try_until_they_succeed(
        self, store: JobStore
    ) -> None:
        """Optimistic counting: the way in which beats and publications meet."""
        store.add_job(a_job(source=""))

        def add_a_letter(number: int) -> bool:
            while True:
                read = store.get_job(a_job().id)
                try:
                    store.swap_job(replace(read, source=f"{read.source}{number}"))
                except Overtaken:
                    continue
                return True

        at_once(add_a_letter, threads=4)

        assert sorted(store.get_job(a_job().id).source) == ["0", "1", "2", "3"]

    def test_jobs_are_listed_newest_first(self, store: JobStore) -> None:
        for number, minutes in ((1, 5), (2, 9), (3, 0.5)):
            store.add_job(a_job(number, minutes=minutes))

        page = store.list_jobs()

        assert [job.id for job in page.jobs] == ["job-0002", "job-0001", "job-0003"]
        assert page.cursor is None

    def test_pages_hold_every_job_once_and_end(self, store: JobStore) -> None:
        """Some are created at the same microsecond."""
        for number in range(7):
            store.add_job(a_job(number, minutes=number // 3))

        pages = [store.list_jobs(limit=3)]
        while pages[-1].cursor is not None:
            pages.append(store.list_jobs(limit=3, cursor=pages[-1].cursor))

        assert [len(page.jobs) for page in pages] == [3, 3, 1]
        ids = [job.id for page in pages for job in page.jobs]
        assert ids == [f"job-{number:04}" for number in (6, 5, 4, 3, 2, 1, 0)]

    def test_a_page_that_holds_the_last_job_has_no_cursor(self, store: JobStore) -> None:
        store.add_job(a_job(1))
        store.add_job(a_job(2))

        assert store.list_jobs(limit=2).cursor is None

    def test_jobs_added_meanwhile_do_not_shift_the_pages(self, store: JobStore) -> None:
        for number in range(4):
            store.add_job(a_job(number, minutes=number))
        first = store.list_jobs(limit=2)

        store.add_job(a_job(9, minutes=9))
        second = store.list_jobs(limit=2, cursor=first.cursor)

        assert [job.id for job in second.jobs] == ["job-0001", "job-0000"]

    def test_jobs_are_listed_by_state(self, store: JobStore) -> None:
        jobs = [store.add_job(a_job(number, minutes=number)) for number in range(4)]
        store.swap_job(jobs[1].moved_to(JobState.RUNNING, at=START))
        store.swap_job(jobs[3].moved_to(JobState.CANCELED, at=START))

        ended = JobFilter(states=(JobState.RUNNING, JobState.CANCELED))
        page = store.list_jobs(ended, limit=1)
        rest = store.list_jobs(ended, limit=1, cursor=page.cursor)

        assert [job.id for job in (*page.jobs, *rest.jobs)] == ["job-0003", "job-0001"]
        pending = store.list_jobs(JobFilter(states=(JobState.PENDING,)))
        assert [job.id for job in pending.jobs] == ["job-0002", "job-0000"]
        assert store.list_jobs(JobFilter(states=(JobState.FINISHED,))).jobs == ()

    @pytest.mark.parametrize(
        "wanted",
        [
            JobFilter(tag=("show", "42")),
            JobFilter(tag=("it's", 'a "tag" with `odd` %_\\ ü\x00')),
            JobFilter(preset="web"),
            JobFilter(preset="small"),
            JobFilter(since=START + 2 * MINUTE),
            JobFilter(until=START + 5 * MINUTE),
            JobFilter(since=START + 2 * MINUTE, until=START + 5 * MINUTE),
            JobFilter(tag=("show", "42"), since=START + 3 * MINUTE),
            JobFilter(preset="web", until=START + 5 * MINUTE),
            JobFilter(states=(JobState.RUNNING,), until=START + 6 * MINUTE),
            JobFilter(states=(JobState.RUNNING,), tag=("show", "42"), preset="web"),
            JobFilter(tag=("show", "43")),
            JobFilter(tag=("42", "show")),
            JobFilter(preset="we"),
        ],
        ids=str,
    )
    def test_a_list_holds_just_the_jobs_that_the_filter_admits(
        self, store: JobStore, wanted: JobFilter
    ) -> None:
        odd = {"show": "42", "it's": 'a "tag" with `odd` %_\\ ü\x00'}
        kinds: list[tuple[dict[str, str], tuple[str, ...]]] = [
            ({}, ()),
            ({"show": "42"}, ("web",)),
            (odd, ("small", "web")),
            ({"show": "1", "other": "42"}, ("small",)),
        ]
        jobs = []
        for number in range(9):
            tags, presets = kinds[number % 4]
            job = a_job(number, minutes=number, tags=tags, presets=presets)
            jobs.append(store.add_job(job))
        for number in (1, 2, 5, 7):
            running = jobs[number].moved_to(JobState.RUNNING, at=START)
            jobs[number] = store.swap_job(running)

        found: list[Job] = []
        cursor: str | None = None
        while True:
            page = store.list_jobs(wanted, limit=2, cursor=cursor)
            assert len(page.jobs) <= 2
            found += page.jobs
            if (cursor := page.cursor) is None:
                break

        assert found == [job for job in reversed(jobs) if wanted.admits(job)]

    def test_a_forgotten_job_is_nowhere_to_be_found(self, store: JobStore) -> None:
        tags = {"show": "42"}
        kept = store.add_job(a_job(1, tags=tags, presets=("web",)))
        gone = store.add_job(a_job(2, tags=tags, presets=("web",)))
        for job in (kept, gone):
            for run in (1, 2):
                store.add_task(a_task(job=job.id, run=run))

        store.forget_job(gone.id, 2)
        store.forget_job(gone.id, 2)

        with pytest.raises(JobNotFound):
            store.get_job(gone.id)
        lists = (JobFilter(), JobFilter(tag=("show", "42")), JobFilter(preset="web"))
        assert [store.list_jobs(wanted).jobs for wanted in lists] == [(kept,)] * 3
        assert [len(store.tasks_of(gone.id, run)) for run in (1, 2)] == [0, 0]
        assert [len(store.tasks_of(kept.id, run)) for run in (1, 2)] == [1, 1]
        assert {task.job_id for task in store.unsettled_tasks()} == {kept.id}

    def test_a_forgotten_job_can_be_added_anew(self, store: JobStore) -> None:
        tagged = a_job(tags={"show": "42"})
        store.add_job(tagged)
        store.forget_job(tagged.id, 1)

        again = store.add_job(tagged)

        assert store.list_jobs(JobFilter(tag=("show", "42"))).jobs == (again,)

    def test_the_list_shows_the_latest_versions(self, store: JobStore) -> None:
        swapped = store.swap_job(replace(store.add_job(a_job()), progress=0.75))

        assert store.list_jobs().jobs == (swapped,)

    @pytest.mark.parametrize(
        "cursor", ["", "x", "????", "W10", "bnVsbA", "WyJhIiwiYiJd", "\u00fc", "a" * 99]
    )
    def test_a_cursor_that_no_list_gave_is_refused(
        self, store: JobStore, cursor: str
    ) -> None:
        with pytest.raises(InvalidCursor):
            store.list_jobs(cursor=cursor)


class StoreContract(JobsContract, TasksContract, NodesContract):
    """Everything that is promised by ``JobStore``."""
