"""feederd's own scaler and reaper, as the settings wire them, on EC2 of this machine."""

from datetime import timedelta
from pathlib import Path

import pytest
from tests import ec2_world, moto_ec2
from tests.ec2_world import LATER, X86, instances, terminate

from media_nommer.adapters.aws.clients import AwsClients
from media_nommer.adapters.aws.ec2 import Ec2Fleet, Hiring
from media_nommer.adapters.memory import MemoryQueue, MemoryStorage, MemoryStore
from media_nommer.conf import Settings, load_settings
from media_nommer.core.errors import InvalidSetting
from media_nommer.core.nodes import Market, Node, NodeState
from media_nommer.core.workflow.engine import Engine, WorkPolicy
from media_nommer.feederd.patience import JanitorPolicy
from media_nommer.feederd.reaper import Reaper
from media_nommer.feederd.scaler import Scaler
from media_nommer.planning.fleet.scaling import Limits, NodeKind
from media_nommer.testing.clock import ManualClock
from media_nommer.testing.samples import MINUTE, a_task
from media_nommer.wiring import FleetParts, open_fleet

KIND = NodeKind(name="ec2", slots=1, price=0.1)
POLICY = JanitorPolicy(
    look_every=timedelta(seconds=15), appears_within=2 * MINUTE, missed_for=MINUTE
)
SECOND = timedelta(seconds=1)


class TestFeederdOnEc2(ec2_world.OnEc2):
    @pytest.fixture
    def engine(self, clock: ManualClock) -> Engine:
        engine = Engine(
            MemoryStore(), MemoryQueue(clock), MemoryStorage(), "memory://w", clock
        )
        engine.store.add_task(a_task())
        return engine

    @pytest.fixture
    def scaler(self, engine: Engine, fleet: Ec2Fleet) -> Scaler:
        return Scaler(engine, fleet, Limits(max_nodes=3), lambda: [KIND])

    @pytest.fixture
    def reaper(self, engine: Engine, fleet: Ec2Fleet) -> Reaper:
        return Reaper(engine, fleet, WorkPolicy(), POLICY)

    def the_node(self, engine: Engine) -> Node:
        (node,) = engine.store.nodes(gone=True)
        return node

    def test_a_task_that_waits_gets_a_machine_and_the_record_says_which(
        self, engine: Engine, scaler: Scaler, clients: AwsClients, hiring: Hiring
    ) -> None:
        scaler.step()

        (machine,) = instances(clients, hiring)
        node = self.the_node(engine)
        assert (node.state, node.kind) == (NodeState.LAUNCHING, "ec2")
        assert (node.machine.name, node.machine.type) == (machine["InstanceId"], X86)
        assert (node.machine.market, node.machine.price) == (Market.SPOT, 0.08)

    def test_looks_that_follow_launch_nothing_more_and_change_no_record(
        self, engine: Engine, scaler: Scaler, world: moto_ec2.Ec2World, clock: ManualClock
    ) -> None:
        scaler.step()
        clock.advance(LATER)
        scaler.step()  # EC2 lists it now, with the time of its launch
        first = self.the_node(engine)

        for _ in range(3):
            clock.advance(LATER)
            scaler.step()

        assert world.launched == 1
        assert first.machine.started_at is not None
        assert self.the_node(engine) == first

    def test_a_feederd_that_died_at_the_launch_is_followed_by_one_that_finds_the_machine(
        self,
        engine: Engine,
        scaler: Scaler,
        world: moto_ec2.Ec2World,
        clients: AwsClients,
        hiring: Hiring,
        clock: ManualClock,
    ) -> None:
        world.lost_answers["spot"] = 1
        scaler.step()
        assert self.the_node(engine).machine.name == ""

        another = ec2_world.a_fleet(clients, hiring, clock)
        Scaler(engine, another, Limits(max_nodes=3), lambda: [KIND]).step()

        (machine,) = instances(clients, hiring)
        node = self.the_node(engine)
        assert (node.machine.name, node.detail) == (machine["InstanceId"], "")

    def test_without_capacity_anywhere_that_is_what_the_decision_says(
        self, scaler: Scaler, engine: Engine, world: moto_ec2.Ec2World
    ) -> None:
        world.refusals = {"spot": "UnfulfillableCapacity", "on-demand": "VcpuLimitExceeded"}

        scaler.step()
        scaler.step()

        assert scaler.decided is not None
        assert "on-demand: VcpuLimitExceeded" in scaler.decided.decision.reason
        assert self.the_node(engine).gone

    def test_what_a_node_that_left_was_paid_for_has_an_end(
        self,
        engine: Engine,
        scaler: Scaler,
        reaper: Reaper,
        clients: AwsClients,
        clock: ManualClock,
    ) -> None:
        scaler.step()
        node = engine.store.swap_node(
            self.the_node(engine).moved_to(NodeState.GONE, at=clock.now())
        )
        terminate(clients, node.machine.name)
        clock.advance(LATER)

        reaper.step()

        assert self.the_node(engine).machine.ended_at is not None

    def test_a_machine_that_outlives_its_node_is_terminated(
        self,
        engine: Engine,
        scaler: Scaler,
        reaper: Reaper,
        clients: AwsClients,
        hiring: Hiring,
        clock: ManualClock,
    ) -> None:
        scaler.step()
        gone = self.the_node(engine).moved_to(NodeState.GONE, at=clock.now())
        engine.store.swap_node(gone)

        for _ in range(POLICY.ends_within // LATER + 2):
            clock.advance(LATER)
            reaper.step()

        (machine,) = instances(clients, hiring)
        assert machine["State"]["Name"] == "terminated"


def on_ec2(tmp_path: Path, **changes: object) -> Settings:
    said = {
        "data_dir": tmp_path,
        "fleet": "ec2",
        "store": "dynamodb://films",
        "work": "s3://films/work",
        "instance_types": f"{X86}, c7i.2xlarge",
        "instance_prices": f"{X86}=0.2, {X86}/spot=0.08, c7i.2xlarge=0.4",
    }
    return load_settings(said | changes, environ={"NOMMER_CONFIG": ""})


@pytest.fixture
def parts(aws: str, tmp_path: Path) -> FleetParts:
    parts = open_fleet(on_ec2(tmp_path))
    assert parts is not None
    return parts


def test_the_settings_make_a_fleet_and_its_offer(parts: FleetParts) -> None:
    (kind,) = parts.offer()

    assert isinstance(parts.fleet, Ec2Fleet)
    assert (kind.name, kind.slots, kind.price) == ("ec2", 1, 0.4)
    assert kind.boot == 90 * SECOND


def test_machines_get_more_time_than_processes_do(parts: FleetParts) -> None:
    assert parts.patience.reports_within > JanitorPolicy().reports_within
    assert parts.patience.missed_for > JanitorPolicy().missed_for


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("store", "sqlite:////tmp/x.db"),
        ("queue", "memory://"),
        ("work", "file:///srv/work"),
    ],
)
def test_what_machines_on_ec2_cannot_reach_is_told(
    aws: str, tmp_path: Path, name: str, url: str
) -> None:
    with pytest.raises(InvalidSetting, match=f"^{name} is .*, which machines of EC2"):
        open_fleet(on_ec2(tmp_path, **{name: url}))


def test_before_another_store_the_same_installation_has_other_machines(
    aws: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A feederd that was started on the wrong store must end nobody's machines."""
    moto_ec2.correct(monkeypatch)
    clients = AwsClients()
    hiring = ec2_world.set_up(clients)
    named = {"installation": hiring.installation}
    right, wrong = (
        open_fleet(on_ec2(tmp_path, store=store, **named))
        for store in ("dynamodb://films", "dynamodb://test")
    )
    assert right is not None
    assert wrong is not None
    node = ec2_world.an_intent("node-right")

    right.fleet.start(node)

    assert set(right.fleet.machines()) == {node.id}
    assert wrong.fleet.machines() == {}
