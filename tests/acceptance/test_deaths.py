"""What dies, and what must hold all the same (rules 1, 2, 4, 5 and 11)."""

import signal
from pathlib import Path

from tests.acceptance.conftest import QUICK, SLOW, SLOW_FRAMES
from tests.acceptance.site import MORTAL, Site, ended_well, site, wait_until


def test_rule_1_a_worker_killed_in_mid_encode_loses_no_job(
    mortal: Site, film: Path
) -> None:
    mortal.hold()
    mortal.feederd()
    first = mortal.worker()
    job = mortal.submit(film, SLOW)
    wait_until("it is being encoded", lambda: mortal.encoding(job))

    first.kill()
    first.wait()
    wait_until("no ffmpeg is left", lambda: not mortal.encoders())
    wait_until("no scratch is left", lambda: not mortal.scratch())
    mortal.let_go()
    mortal.worker()

    done = mortal.wait_for(job)
    assert done["outputs"][0]["facts"]["frames"] == SLOW_FRAMES
    assert list(mortal.published()) == ["slow.mp4"]
    wait_until("no ffmpeg is left", lambda: not mortal.encoders())


def test_rule_11_an_encoder_dies_with_a_worker_whose_helper_is_killed_too(
    place: Site, film: Path
) -> None:
    place.hold()
    place.feederd()
    place.worker()
    place.submit(film, SLOW)
    wait_until("it is being encoded", place.encoders)

    place.kill_all()

    assert not place.processes()


def test_rule_5_workers_go_on_when_feederd_is_killed(place: Site, film: Path) -> None:
    place.hold()
    feederd = place.feederd()
    place.worker()
    first = place.submit(film, SLOW)
    names = [f"small-{number}.mp4" for number in range(4)]
    jobs = [first, *(place.submit(film, {**QUICK, "name": name}) for name in names)]
    wait_until("one is being encoded", place.encoders)

    feederd.kill()
    feederd.wait()
    place.let_go()
    wait_until(
        "all outputs are in place without feederd",
        lambda: set(place.published()) == {"slow.mp4", *names},
    )
    place.feederd()

    for job in jobs:
        assert place.wait_for(job)["progress"] == 1.0


def test_rule_1_everything_killed_at_once_loses_no_job(tmp_path: Path, film: Path) -> None:
    with site(tmp_path, fleet="local", max_nodes="2", **MORTAL) as place:
        place.hold()
        place.feederd()
        jobs = [place.submit(film, SLOW)]
        jobs += [place.submit(film, {**QUICK, "name": f"{n}.mp4"}) for n in range(4)]
        wait_until("one is being encoded", lambda: place.encoding(jobs[0]))

        place.kill_all()
        place.let_go()
        place.feederd()

        for job in jobs:
            place.wait_for(job)
        assert len(place.published()) == len(jobs)


def test_a_local_worker_that_dies_is_replaced_at_once(tmp_path: Path, film: Path) -> None:
    with site(tmp_path, fleet="local", lease="600s", put_again_after="1200s") as place:
        place.hold()
        place.feederd()
        job = place.submit(film, SLOW)
        wait_until("it is being encoded", place.encoders)

        with place.client as client:
            (node,) = client.nodes()
        killed = next(p for p in place.processes() if p.pid == node["pid"])
        killed.kill()
        place.let_go()

        place.wait_for(job)  # for less than a lease


def test_a_worker_told_to_stop_finishes_what_it_does(place: Site, film: Path) -> None:
    place.hold()
    place.feederd()
    worker = place.worker()
    job = place.submit(film, SLOW)
    wait_until("it is being encoded", place.encoders)
    later = place.submit(film, {**QUICK, "name": "later.mp4"})

    worker.send_signal(signal.SIGTERM)
    wait_until("it knows", lambda: place.has_logged("node_draining"))
    place.let_go()

    assert ended_well(worker)
    assert place.job(job)["state"] == "finished"
    assert place.job(later)["state"] == "pending"
    assert not place.scratch()


def test_rule_6_a_worker_in_a_hurry_hands_back_and_that_counts_as_nothing(
    place: Site, film: Path
) -> None:
    place.hold()
    place.feederd()
    worker = place.worker(drain_timeout="0s")
    job = place.submit(film, SLOW)
    wait_until("it is being encoded", place.encoders)

    worker.send_signal(signal.SIGTERM)
    assert ended_well(worker)
    assert not place.encoders()
    place.let_go()
    place.worker(max_lost="1", max_attempts="1")

    place.wait_for(job)
    assert place.ends(job) == ["handed_back", "committed"]


def test_rule_6_a_task_that_kills_its_workers_is_not_tried_for_ever(
    tmp_path: Path, film: Path
) -> None:
    with site(tmp_path, max_lost="2", **MORTAL) as place:
        place.hold()
        place.feederd()
        job = place.submit(film, SLOW)
        for _ in range(2):
            worker = place.worker()
            wait_until("it is being worked on", place.encoders)
            worker.kill()
            worker.wait()
            wait_until("no ffmpeg is left", lambda: not place.encoders())
        place.worker()

        done = place.wait_for(job, "abandoned")

        assert done["failure"]["code"] == "WORKERS_DIED"
        assert not place.published()


def test_rule_5_a_task_that_comes_as_the_last_worker_leaves_is_done(
    tmp_path: Path, film: Path
) -> None:
    with site(tmp_path, fleet="local", idle_timeout="0.3s", **MORTAL) as place:
        place.feederd()
        for number in range(4):
            place.wait_for(place.submit(film, {**QUICK, "name": f"{number}.mp4"}))
            with place.client as client:
                wait_until(
                    "the worker has decided to leave",
                    lambda client=client: not client.nodes(),
                    every=0.005,
                )


def test_feederd_stops_cleanly_and_goes_on_at_the_next_start(
    tmp_path: Path, film: Path
) -> None:
    with site(tmp_path, fleet="local", drain_timeout="0.2s") as place:
        place.hold()
        feederd = place.feederd()
        job = place.submit(film, SLOW)
        wait_until("it is being encoded", place.encoders)

        feederd.send_signal(signal.SIGINT)

        assert ended_well(feederd)
        assert not place.processes()
        assert not place.scratch()
        place.let_go()
        place.feederd()
        place.wait_for(job)


def test_a_second_feederd_on_the_same_data_is_refused_with_a_sentence(
    place: Site,
) -> None:
    place.feederd()

    other = place._start("nommer", "serve", "--port", "0")

    assert other.wait(120) == 1
    assert place.has_logged("already")
