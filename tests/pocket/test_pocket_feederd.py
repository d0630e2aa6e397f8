"""feederd on a machine of EC2 of its own: reached as its operator says, and by nobody else.

Amazon's agent, by which sessions come to a machine, is fetched from Amazon alone, so there
is none here: what stands for a session is a connection made inside the machine.
"""

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import psutil
import pytest

from media_nommer.client import NommerClient, NoService
from tests.acceptance.site import wait_until
from tests.pocket.films import PLACE, Films, films
from tests.pocket.instances import Instance
from tests.pocket.pocket import Pocket
from tests.pocket.sockets import listening
from tests.pocket.test_pocket_encoding import (
    all_finish,
    costs_add_up,
    each_written_once,
    ended_itself,
    one_machine_a_node,
    soak,
    submit,
)

OPERATOR, STRANGER, PORT = "203.0.113.7", "198.51.100.9", 8001
#: The usual one is arm64, which this host need not be.
ON_A_MACHINE = ("--with-feederd", "--feederd-type", "t3.small")
_numbers = count(1)


@pytest.fixture
def place(
    cloud: Pocket,
    image: Path,
    bundles: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Films]:
    """An installation of which nothing is up yet."""
    for name, value in cloud.environment.items():
        monkeypatch.setenv(name, value)
    cloud.baked = {PLACE: image}
    name = f"housed-{os.getpid()}-{next(_numbers)}"
    with films(tmp_path / "site", cloud, name, "dynamodb", bundles) as made:
        yield made
        print(made.said())  # noqa: T201 - it is shown where the test failed


def booted(place: Films) -> Instance:
    """Return feederd's machine once feederd runs there."""
    (machine,) = place.feederds()
    wait_until("it runs", lambda: machine.state == "running")
    wait_until(
        "feederd listens",
        lambda: PORT in {port for _, port in listening(place.cloud.processes(machine))},
        timeout=300,
    )
    return machine


def open_ports(place: Films, machine: Instance) -> set[tuple[str, int]]:
    """Return what listens on a machine besides what stands for Amazon's services there."""
    stand_in = place.cloud.running(machine).machine
    assert stand_in is not None, "it runs"
    return listening(place.cloud.processes(machine)) - set(stand_in.plan.listen)


def answers_at(port: int) -> Any:
    with NommerClient(f"http://127.0.0.1:{port}") as client:
        return client.health()


def all_well(place: Films, clip: Path, jobs: int) -> None:
    """Have jobs done by nodes that feederd's machine starts, and see these end."""
    submitted = submit(place, clip, jobs)
    all_finish(place, submitted)
    place.goes_to_sleep()
    each_written_once(place)
    assert one_machine_a_node(place)
    assert [i.id for i in place.instances() if not ended_itself(i)] == []
    costs_add_up(place, submitted)


@pytest.mark.timeout(900)
def test_feederd_on_a_machine_serves_those_whom_its_operator_names_and_no_others(
    place: Films, clip: Path
) -> None:
    place.up(*ON_A_MACHINE, "--feederd-from", f"{OPERATOR}/32")
    machine = booted(place)

    with (
        place.cloud.seen_from(OPERATOR, machine, PORT) as place.port,
        place.cloud.seen_from(OPERATOR, machine, 22) as another_port,
        place.cloud.seen_from(STRANGER, machine, PORT) as strangers_port,
    ):
        wait_until("feederd answers", place.answers)
        for closed in (another_port, strangers_port):
            with pytest.raises(NoService):
                answers_at(closed)
        all_well(place, clip, jobs=2)

    assert open_ports(place, machine) == {("0.0.0.0", PORT)}
    assert place.feederds() == [machine]
    assert machine.market == "on-demand"


@pytest.mark.timeout(900)
@soak
def test_feederd_on_a_machine_is_reached_by_a_session_alone_where_nobody_is_named(
    place: Films, clip: Path
) -> None:
    place.up(*ON_A_MACHINE)
    machine = booted(place)

    with (
        place.cloud.session(machine, PORT) as place.port,
        place.cloud.seen_from(OPERATOR, machine, PORT) as operators_port,
    ):
        wait_until("feederd answers", place.answers)
        with pytest.raises(NoService):
            answers_at(operators_port)
        all_well(place, clip, jobs=2)

    assert open_ports(place, machine) == {("127.0.0.1", PORT)}


@pytest.mark.timeout(900)
@soak
def test_a_feederd_that_dies_on_its_machine_is_started_again(
    place: Films, clip: Path
) -> None:
    place.up(*ON_A_MACHINE)
    machine = booted(place)
    with place.cloud.session(machine, PORT) as place.port:
        wait_until("feederd answers", place.answers)
        (job,) = submit(place, clip, 1)

        for pid in place.cloud.processes(machine):
            if any("feederd" in word for word in psutil.Process(pid).cmdline()):
                psutil.Process(pid).kill()

        wait_until("it is back", place.answers)
        all_finish(place, [job])
        place.goes_to_sleep()
    assert "ExecStart ended with -9" in place.cloud.said(machine)


@pytest.mark.timeout(900)
@soak
def test_another_machine_takes_the_place_of_feederds_when_it_is_told_something_else(
    place: Films, clip: Path
) -> None:
    place.up(*ON_A_MACHINE)
    first = booted(place)
    place.up(*ON_A_MACHINE)
    same = place.feederds()

    place.up(*ON_A_MACHINE, "--feederd-from", f"{OPERATOR}/32")
    second = booted(place)

    assert same == [first]
    assert second is not first
    with place.cloud.seen_from(OPERATOR, second, PORT) as place.port:
        wait_until("feederd answers", place.answers)
        all_well(place, clip, jobs=1)
    wait_until("the first is gone", lambda: first.state == "terminated")
