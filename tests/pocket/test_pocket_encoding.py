"""Jobs on machines of EC2, from `nommer aws up` to the last machine's own end.

feederd is a real process, and so are the nodes: each on a machine of its own, installed and
started by its user data.
"""

import os
from collections import Counter
from math import ceil
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.site import wait_until
from tests.faults.fleet.fates import Fates
from tests.pocket.bills import bills
from tests.pocket.films import INSTALLATION, MOST, PLACE, Films, most_at_once
from tests.pocket.instances import Instance
from tests.pocket.sockets import listening
from tests.pocket.twisting import twisted_image

SOAK = os.environ.get("NOMMER_SOAK")
#: How many runs of twenty jobs a full soak is; half of them on each store.
FULL, _FULL_SOAK = 20, 100_000
RUNS = ceil(FULL * int(SOAK) / _FULL_SOAK) if SOAK else 1
JOBS = 20 if SOAK else 4
soak = pytest.mark.skipif(not SOAK, reason="it takes long: NOMMER_SOAK has it")

SLOW: dict[str, Any] = {
    "kind": "file",
    "name": "slow.mp4",
    "video": {"codec": "h264", "quality": 16, "speed": "veryslow"},
}


def quick(number: int) -> dict[str, Any]:
    video = {"codec": "h264", "height": 36, "speed": "ultrafast"}
    return {"kind": "file", "name": f"quick-{number}.mp4", "video": video}


def disturb(place: Films, seed: int) -> None:
    """Have EC2 do what it may do at any time: nothing of it ends a machine."""
    fates = Fates(seed)
    place.cloud.orders.lost_answers["CreateFleet"] = fates.lost_launches
    place.cloud.orders.listed_after = fates.listed_after
    market, _ = fates.lacking
    if market == "spot":
        place.cloud.supply.lack(market=market)
    lost, late = fates.lost_launches, fates.listed_after
    told = f"{lost} launches unanswered, lists {late:.1f} s late, none: {market!r}"
    print(f"seed {seed}: {told}")  # noqa: T201 - it is shown where the test failed


def submit(place: Films, clip: Path, count: int = JOBS) -> list[str]:
    return [place.submit(clip, quick(number)) for number in range(count)]


def all_finish(place: Films, jobs: list[str]) -> None:
    for job in jobs:
        assert place.wait_for(job, timeout=400)["progress"] == 1.0


def ends(place: Films, job: str) -> list[str | None]:
    with place.client as client:
        return [attempt["end"] for attempt in client.logs(job)["attempts"]]


def each_written_once(place: Films) -> set[str]:
    written = place.published()
    assert {name: len(versions) for name, versions in written.items()} == dict.fromkeys(
        written, 1
    ), place.said()
    return set(written)


def one_machine_a_node(place: Films) -> bool:
    nodes = Counter(instance.tags["nommer-node"] for instance in place.instances())
    return set(nodes.values()) == {1}


def ended_itself(instance: Instance) -> bool:
    return instance.why.startswith("Client.InstanceInitiatedShutdown")


def costs_add_up(place: Films, jobs: list[str]) -> None:
    """Hold what feederd says of money against what EC2 knows, as near as it has looked."""
    found, sums = bills(place, jobs)
    print(*found, sep="\n")  # noqa: T201 - it is shown where the test failed
    for bill in found:
        assert abs(bill.shares - bill.worked) < 1
        assert abs(bill.paid - bill.billed) <= max(1, bill.unseen)
    told = sums["boot_seconds"] + sums["worked_seconds"] + sums["idle_seconds"]
    assert abs(told - sum(bill.paid for bill in found)) < 1
    assert sums["unpriced"] == 0
    assert None not in [place.job(job)["cost"] for job in jobs]


def nothing_listens(place: Films, instance: Instance) -> None:
    """Hold that nobody could be reached in a machine, nor let in from outside."""
    groups = place.cloud.client("ec2").describe_security_groups(
        Filters=[{"Name": "group-name", "Values": [f"{INSTALLATION}-node"]}]
    )["SecurityGroups"]
    assert [group["IpPermissions"] for group in groups] == [[]]
    machine = place.cloud.running(instance).machine
    assert machine is not None, "it runs"
    ours = {(host, port) for host, port in machine.plan.listen}
    assert listening(place.cloud.processes(instance)) == ours


def joined(place: Films) -> Instance | None:
    """Return a machine whose node has joined, if there is one."""
    with place.client as client:
        nodes = [n["machine"]["name"] for n in client.nodes() if n["state"] == "running"]
    return next((i for i in place.cloud.alive if i.id in nodes), None)


def encoding(place: Films, job: str) -> Instance:
    """Return the machine that a job is encoded on, once it is."""
    wait_until("it is encoded", lambda: place.encoding(job, at_least=0.0), timeout=300)
    return wait_until("its machine encodes", place.at_work)[0]


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("installed", "seed"),
    [("simpledb" if seed % 2 else "dynamodb", seed) for seed in range(RUNS)],
    indirect=["installed"],
)
def test_jobs_finish_on_few_machines_that_then_end_themselves(
    installed: Films, clip: Path, seed: int
) -> None:
    """By its seed a run meets lost answers, late lists and a market that is empty."""
    disturb(installed, seed)
    installed.feederd()

    jobs = submit(installed, clip)
    node = wait_until("a node has joined", lambda: joined(installed), timeout=300)
    nothing_listens(installed, node)
    all_finish(installed, jobs)
    installed.goes_to_sleep()

    assert each_written_once(installed) == {f"quick-{number}.mp4" for number in range(JOBS)}
    assert 1 <= most_at_once(installed.instances()) <= MOST
    assert one_machine_a_node(installed)
    assert [i.id for i in installed.instances() if not ended_itself(i)] == []
    for instance in installed.instances():
        assert "node_left" in installed.node_log(instance)
        metadata = installed.cloud.running(instance).metadata
        told = installed.node_log(instance) + installed.cloud.said(instance)
        assert not [secret for secret in metadata.secrets if secret in told]
    costs_add_up(installed, jobs)


@pytest.mark.timeout(900)
@soak
def test_both_daemons_do_the_same_under_twistd(
    installed: Films, image: Path, clip: Path, tmp_path: Path
) -> None:
    installed.twistd = True
    installed.cloud.baked = {PLACE: twisted_image(image, tmp_path / "image")}
    installed.feederd()

    jobs = submit(installed, clip, 4)
    all_finish(installed, jobs)
    installed.goes_to_sleep()

    assert each_written_once(installed) == {f"quick-{number}.mp4" for number in range(4)}
    assert [i.id for i in installed.instances() if not ended_itself(i)] == []
    for instance in installed.instances():
        assert "node_left" in installed.node_log(instance)
    costs_add_up(installed, jobs)


@pytest.mark.timeout(900)
@soak
def test_a_machine_without_an_image_of_ours_installs_what_it_needs(
    installed: Films, clip: Path
) -> None:
    installed.cloud.baked = {}
    installed.feederd()

    all_finish(installed, submit(installed, clip, 1))
    installed.goes_to_sleep()

    assert "media-nommer: installed" in installed.cloud.said(installed.instances()[0])


@pytest.mark.timeout(900)
@soak
def test_feederd_killed_right_after_a_launch_launches_no_second_machine(
    installed: Films, clip: Path
) -> None:
    installed.cloud.orders.lost_answers["CreateFleet"] = 1
    feederd = installed.feederd()
    jobs = submit(installed, clip, 2)
    wait_until("a machine is launched", installed.instances)

    feederd.kill()
    feederd.wait()
    installed.feederd()

    all_finish(installed, jobs)
    installed.goes_to_sleep()
    assert one_machine_a_node(installed)
    assert most_at_once(installed.instances()) <= MOST
    each_written_once(installed)


@pytest.mark.timeout(900)
@soak
def test_a_noticed_reclaim_hands_its_work_back_before_it_dies(
    installed: Films, long_film: Path
) -> None:
    installed.feederd()
    job = installed.submit(long_film, SLOW)
    first = encoding(installed, job)

    installed.cloud.reclaim(first, notice=15)

    installed.wait_for(job, timeout=500)
    assert ends(installed, job) == ["handed_back", "committed"]
    assert each_written_once(installed) == {"slow.mp4"}
    installed.goes_to_sleep()


@pytest.mark.timeout(900)
@soak
def test_a_reclaim_without_notice_loses_no_job(installed: Films, film: Path) -> None:
    installed.feederd()
    job = installed.submit(film, SLOW)
    first = encoding(installed, job)

    installed.cloud.reclaim(first)

    installed.wait_for(job, timeout=400)
    assert ends(installed, job) == ["lost", "committed"]
    assert each_written_once(installed) == {"slow.mp4"}
    installed.goes_to_sleep()


@pytest.mark.timeout(900)
@soak
def test_where_spot_and_a_zone_have_nothing_machines_are_had_elsewhere(
    installed: Films, clip: Path
) -> None:
    installed.cloud.supply.lack(market="spot")
    installed.cloud.supply.lack(zone="*a")
    installed.feederd()

    all_finish(installed, submit(installed, clip))
    installed.goes_to_sleep()

    assert {instance.market for instance in installed.instances()} == {"on-demand"}
    assert "a" not in {instance.zone[-1] for instance in installed.instances()}


@pytest.mark.timeout(2400)
@soak
def test_a_launch_that_never_boots_is_given_up_and_ended(
    installed: Films, clip: Path
) -> None:
    installed.cloud.orders.dead = 1
    installed.feederd()
    (job,) = submit(installed, clip, 1)

    installed.wait_for(job, timeout=1200)

    installed.goes_to_sleep(timeout=900)
    dead, *others = installed.instances()
    assert dead.history == ["pending", "shutting-down", "terminated"]
    assert others


@pytest.mark.timeout(900)
@soak
def test_a_node_that_is_cut_off_is_overtaken_and_drops_its_work(
    installed: Films, long_film: Path
) -> None:
    installed.feederd()
    job = installed.submit(long_film, SLOW)
    cut_off = encoding(installed, job)

    installed.cloud.cut(cut_off)
    wait_until(
        "another encodes it",
        lambda: [i for i in installed.at_work() if i is not cut_off],
        timeout=400,
    )
    installed.cloud.mend(cut_off)

    installed.wait_for(job, timeout=500)
    assert ends(installed, job) == ["lost", "committed"]
    assert each_written_once(installed) == {"slow.mp4"}
    installed.goes_to_sleep()
