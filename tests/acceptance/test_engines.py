"""What dies, what stops and what comes late, on stores, queues and buckets of a cluster.

Each test runs with three workers on SQS with SimpleDB, on SQS with DynamoDB, and on
PostgreSQL, each with S3 (rules 1, 2, 4, 5, 7 and 8). The services live on.
"""

import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import HELD, NAMES, QUICK, SLOW, SOME
from tests.acceptance.gate import gate
from tests.acceptance.ground import Buckets
from tests.acceptance.site import (
    Site,
    as_told,
    ended_well,
    go_on,
    lost_then_committed,
    stop,
    wait_until,
)

WORKERS = 3
SLOW_FRAMES = 30

#: What one machine's engine is always put through, and these in a soak.
in_soaks = pytest.mark.skipif(
    not os.environ.get("NOMMER_SOAK"), reason="it takes long: NOMMER_SOAK has it"
)


def small(count: int) -> list[dict[str, Any]]:
    return [{**QUICK, "name": f"small-{number}.mp4"} for number in range(count)]


def whole(ground: Buckets, name: str) -> bool:
    return ground.read(name)[-2:] == b"\xff\xd9"


def stopped_in_order(workers: list[subprocess.Popen[bytes]]) -> bool:
    for worker in workers:
        worker.send_signal(signal.SIGTERM)
    return all(ended_well(worker) for worker in workers)


def test_rule_1_a_worker_killed_in_mid_encode_loses_no_job(
    cluster: Site, short_film: Path
) -> None:
    cluster.hold()
    cluster.feederd()
    workers = cluster.workers(WORKERS)
    job = cluster.submit(short_film, SLOW)
    killed = wait_until("it is encoded", lambda: cluster.at_its_encoder(workers))

    killed.kill()
    cluster.let_go()

    done = cluster.wait_for(job)
    assert done["outputs"][0]["facts"]["frames"] == SLOW_FRAMES
    assert lost_then_committed(cluster.ends(job))
    assert list(cluster.published()) == ["slow.mp4"]
    assert len(cluster.published()["slow.mp4"]) == 1
    cluster.leaves_nothing()


@in_soaks
def test_rule_5_workers_go_on_when_feederd_is_killed(
    cluster: Site, short_film: Path
) -> None:
    cluster.hold()
    feederd = cluster.feederd()
    jobs = [cluster.submit(short_film, output) for output in (SLOW, *small(4))]
    cluster.workers(WORKERS)
    wait_until("one is being encoded", cluster.encoders)

    feederd.kill()
    feederd.wait()
    cluster.let_go()
    cluster.feederd()

    for job in jobs:
        assert cluster.wait_for(job)["progress"] == 1.0
    assert all(len(written) == 1 for written in cluster.published().values())
    cluster.leaves_nothing()


def test_rule_5_workers_started_by_hand_empty_the_queue_without_feederd(
    cluster: Site, short_film: Path
) -> None:
    feederd = cluster.feederd()
    jobs = [cluster.submit(short_film, output) for output in (SLOW, *small(4))]
    feederd.kill()
    feederd.wait()
    assert cluster.depth() == len(jobs)

    workers = cluster.workers(WORKERS)
    wait_until(
        "all outputs are in place",
        lambda: set(cluster.published()) == {"slow.mp4", *(o["name"] for o in small(4))},
        every=0.3,
    )
    cluster.leaves_nothing()
    assert stopped_in_order(workers)

    cluster.feederd()
    with cluster.client as client:
        seen = {job["id"]: job for job in client.all_jobs()}
    assert {seen[job]["state"] for job in jobs} == {"finished"}
    assert {seen[job]["progress"] for job in jobs} == {1.0}
    assert all(len(written) == 1 for written in cluster.published().values())
    assert not cluster.scratch()


@in_soaks
def test_rule_1_everything_killed_at_once_loses_no_job(
    cluster: Site, short_film: Path
) -> None:
    cluster.hold()
    cluster.feederd()
    cluster.workers(WORKERS)
    jobs = [cluster.submit(short_film, output) for output in (SLOW, *small(4))]
    wait_until("one is being encoded", cluster.encoders)

    cluster.kill_all()
    assert not cluster.processes()
    cluster.let_go()
    cluster.feederd()
    cluster.workers(WORKERS)

    for job in jobs:
        cluster.wait_for(job)
    assert len(cluster.published()) == len(jobs)
    assert all(len(written) == 1 for written in cluster.published().values())
    cluster.leaves_nothing()


def test_rule_2_a_worker_that_comes_back_late_drops_its_work(
    cluster: Site, short_film: Path
) -> None:
    """Late once while another is still at work on it, once after all was done."""
    cluster.hold()
    cluster.feederd()
    workers = cluster.workers(WORKERS)
    overtaken = cluster.submit(short_film, {**SLOW, "name": "overtaken.mp4"})
    late = wait_until("it is encoded", lambda: cluster.at_its_encoder(workers))
    stop(late, cluster.ground)
    others = [worker for worker in workers if worker is not late]
    wait_until("another encodes it", lambda: cluster.at_its_encoder(others))
    go_on(late)
    cluster.let_go()
    cluster.wait_for(overtaken)
    cluster.comes_to_rest()

    cluster.hold()
    done_already = cluster.submit(short_film, SLOW)
    workers = [*cluster.workers(1), *workers]  # one for the late one, if it left
    late = wait_until("it is encoded", lambda: cluster.at_its_encoder(workers))
    stop(late, cluster.ground)
    cluster.let_go()
    done = cluster.wait_for(done_already)
    before = cluster.published()
    go_on(late)
    cluster.comes_to_rest()
    assert stopped_in_order(workers)

    assert lost_then_committed(cluster.ends(overtaken))
    assert lost_then_committed(cluster.ends(done_already))
    assert done["outputs"][0]["facts"]["frames"] == SLOW_FRAMES
    assert as_told(cluster.job(done_already)) == as_told(done)
    assert cluster.published() == before
    assert [len(written) for written in before.values()] == [1, 1]
    assert not cluster.scratch()


def test_rule_7_a_publication_begun_twice_happens_once(
    cluster: Site, ground: Buckets, long_film: Path
) -> None:
    """Once where nothing stands yet, then in place of what that left there."""
    cluster.feederd()
    with gate(ground.environment["AWS_ENDPOINT_URL"]) as s3:
        for before, if_exists in enumerate(("fail", "replace")):
            s3.hold(ground.out, HELD)
            late = cluster.worker({"AWS_ENDPOINT_URL_S3": s3.url})
            other = {**SOME, "height": 36 - 18 * before}  # the same would stay in place
            job = cluster.submit(long_film, other, if_exists=if_exists)
            s3.wait()
            stop(late, cluster.ground)
            first = {
                name: ground.put_by(name)
                for name, written in cluster.published().items()
                if len(written) > before
            }
            others = cluster.workers(WORKERS - 1)
            cluster.wait_for(job)
            last = cluster.published()
            s3.release()
            go_on(late)
            cluster.comes_to_rest()
            assert stopped_in_order([late, *others])

            assert list(first) == NAMES[: HELD - 1]
            assert list(last) == NAMES
            assert {len(written) for written in last.values()} == {before + 1}
            assert {name: ground.put_by(name) for name in first} == first
            assert cluster.published() == last
            assert [name for name in last if not whole(ground, name)] == []


def test_rule_8_a_job_canceled_while_encoding_or_publishing_leaves_only_whole_files(
    cluster: Site, ground: Buckets, short_film: Path, long_film: Path
) -> None:
    cluster.hold()
    cluster.feederd()
    with gate(ground.environment["AWS_ENDPOINT_URL"]) as s3, cluster.client as client:
        through_it = {"AWS_ENDPOINT_URL_S3": s3.url}
        workers = [cluster.worker(through_it) for _ in range(WORKERS)]
        encoding = cluster.submit(short_film, SLOW)
        wait_until("it is being encoded", cluster.encoders)
        client.cancel(encoding)
        wait_until("its encoder is stopped", lambda: not cluster.encoders())
        cluster.leaves_nothing()
        assert not cluster.published()

        s3.hold(ground.out, HELD)
        publishing = cluster.submit(long_film, SOME)
        s3.wait()
        client.cancel(publishing)
        s3.release()
        cluster.leaves_nothing()
        assert stopped_in_order(workers)

    assert cluster.job(encoding)["state"] == "canceled"
    assert cluster.job(publishing)["state"] == "canceled"
    assert list(cluster.published()) == NAMES[:HELD]
    assert [name for name in cluster.published() if not whole(ground, name)] == []


@in_soaks
def test_workers_told_to_stop_finish_what_they_do(cluster: Site, short_film: Path) -> None:
    cluster.hold()
    cluster.feederd()
    workers = cluster.workers(WORKERS)
    job = cluster.submit(short_film, SLOW)
    busy = wait_until("it is encoded", lambda: cluster.at_its_encoder(workers))

    for worker in workers:
        worker.send_signal(signal.SIGTERM)
    idle = [worker for worker in workers if worker is not busy]
    assert all(ended_well(worker) for worker in idle)
    later = cluster.submit(short_film, {**QUICK, "name": "later.mp4"})
    cluster.let_go()

    assert ended_well(busy)
    assert cluster.job(job)["state"] == "finished"
    assert cluster.job(later)["state"] == "pending"
    assert list(cluster.published()) == ["slow.mp4"]
    assert not cluster.ground.left_behind()
    assert not cluster.scratch()
