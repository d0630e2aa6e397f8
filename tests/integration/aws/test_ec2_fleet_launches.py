"""The fleet on EC2 when markets are empty, answers get lost, and lists lag behind."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests import ec2_world
from tests.ec2_world import ARM, LATER, X86, an_intent, instances, terminate
from tests.moto_ec2 import Ec2World

from media_nommer.adapters.aws.clients import AwsClients
from media_nommer.adapters.aws.ec2 import Ec2Fleet, Hiring
from media_nommer.adapters.aws.ec2.places import Places
from media_nommer.core.errors import (
    InvalidSetting,
    LaunchFailed,
    NoCapacity,
    QuotaReached,
    ServiceUnavailable,
)
from media_nommer.core.nodes import Market, NodeId
from media_nommer.testing.clock import ManualClock

HOUR = timedelta(hours=1)


class TestLaunches(ec2_world.OnEc2):
    def test_a_machine_is_had_on_the_spot_market_and_all_is_known_of_it(
        self, fleet: Ec2Fleet, clock: ManualClock, world: Ec2World
    ) -> None:
        machine = fleet.start(an_intent())

        assert machine.name.startswith("i-")
        assert (machine.type, machine.market) == (X86, Market.SPOT)
        assert machine.zone.startswith("us-east-1")
        assert (machine.price, machine.ended_at) == (0.08, None)
        clock.advance(LATER)
        listed = fleet.machines()[an_intent().id]
        assert replace(listed, started_at=machine.started_at) == machine

    def test_machine_and_disk_carry_the_tags_by_which_they_are_found(
        self, fleet: Ec2Fleet, clients: AwsClients, hiring: Hiring
    ) -> None:
        machine = fleet.start(an_intent())

        wanted = {
            "nommer:installation": hiring.installation,
            "nommer-installation": hiring.installation,
            "nommer-node": "node-1",
            "nommer-store": "one",
            "Name": f"{hiring.installation}-node",
        }
        found = clients.client("ec2").describe_tags(
            Filters=[{"Name": "resource-id", "Values": [machine.name]}]
        )
        assert (
            wanted.items() <= {each["Key"]: each["Value"] for each in found["Tags"]}.items()
        )

    @pytest.mark.parametrize(
        "code",
        ["InsufficientInstanceCapacity", "MaxSpotInstanceCountExceeded", "Unsupported"],
    )
    def test_where_there_is_none_on_the_spot_market_it_is_had_on_demand(
        self, fleet: Ec2Fleet, world: Ec2World, code: str
    ) -> None:
        world.refusals["spot"] = code

        machine = fleet.start(an_intent())

        assert (machine.market, machine.price) == (Market.ON_DEMAND, 0.2)
        assert world.launched == 1

    def test_a_refusal_of_the_whole_request_counts_the_same(
        self, fleet: Ec2Fleet, world: Ec2World
    ) -> None:
        world.errors["spot"] = "MaxSpotInstanceCountExceeded"

        assert fleet.start(an_intent()).market is Market.ON_DEMAND

    def test_spot_only_means_that(
        self, clients: AwsClients, hiring: Hiring, clock: ManualClock, world: Ec2World
    ) -> None:
        world.refusals["spot"] = "UnfulfillableCapacity"
        fleet = ec2_world.a_fleet(clients, replace(hiring, markets=(Market.SPOT,)), clock)

        with pytest.raises(NoCapacity):
            fleet.start(an_intent())

        assert world.asked == ["spot"]

    def test_where_no_market_has_any_the_reasons_of_all_are_told(
        self, fleet: Ec2Fleet, world: Ec2World
    ) -> None:
        world.refusals = {
            "spot": "UnfulfillableCapacity",
            "on-demand": "InsufficientInstanceCapacity",
        }

        with pytest.raises(NoCapacity) as caught:
            fleet.start(an_intent())

        assert "spot: UnfulfillableCapacity" in caught.value.message
        assert "on-demand: InsufficientInstanceCapacity" in caught.value.message
        assert world.launched == 0

    def test_a_quota_is_told_apart_as_a_person_can_have_it_raised(
        self, fleet: Ec2Fleet, world: Ec2World
    ) -> None:
        world.refusals = {"spot": "UnfulfillableCapacity", "on-demand": "VcpuLimitExceeded"}

        with pytest.raises(QuotaReached) as caught:
            fleet.start(an_intent())

        assert "quota" in caught.value.advice

    def test_a_missing_launch_template_is_told_with_what_to_do(
        self, clients: AwsClients, hiring: Hiring, clock: ManualClock, world: Ec2World
    ) -> None:
        fleet = ec2_world.a_fleet(clients, replace(hiring, installation="not-there"), clock)

        with pytest.raises(LaunchFailed) as caught:
            fleet.start(an_intent())

        assert "nommer aws up" in caught.value.advice

    def test_a_type_that_does_not_exist_is_told(
        self, clients: AwsClients, hiring: Hiring, clock: ManualClock, world: Ec2World
    ) -> None:
        fleet = ec2_world.a_fleet(clients, replace(hiring, types=("c1000.huge",)), clock)

        with pytest.raises(InvalidSetting, match=r"no c1000\.huge in us-east-1"):
            fleet.start(an_intent())

    def test_machines_with_arm_processors_are_made_from_their_own_template(
        self, clients: AwsClients, hiring: Hiring, clock: ManualClock, world: Ec2World
    ) -> None:
        arm = replace(hiring, types=(ARM,))
        clients.client("ec2").delete_launch_template(LaunchTemplateName=hiring.template)

        machine = ec2_world.a_fleet(clients, arm, clock).start(an_intent())

        assert machine.type == ARM

    def test_a_launch_whose_answer_was_lost_is_not_made_again(
        self, fleet: Ec2Fleet, clients: AwsClients, hiring: Hiring, world: Ec2World
    ) -> None:
        """Neither in its market nor in the next: nobody said that nothing came of it."""
        world.lagging = True
        world.lost_answers["spot"] = 1

        with pytest.raises(ServiceUnavailable):
            fleet.start(an_intent())
        machine = fleet.start(an_intent())

        assert world.asked == ["spot", "spot"]
        assert world.launched == 1
        world.catch_up()
        assert [each["InstanceId"] for each in instances(clients, hiring)] == [machine.name]

    def test_two_feederds_that_start_one_node_start_one_machine(
        self, clients: AwsClients, hiring: Hiring, clock: ManualClock, world: Ec2World
    ) -> None:
        world.lagging = True
        one, other = (ec2_world.a_fleet(clients, hiring, clock) for _ in range(2))

        assert one.start(an_intent()) == other.start(an_intent())

        assert world.launched == 1

    def test_after_the_settings_changed_a_launch_of_before_is_not_made_again(
        self, clients: AwsClients, hiring: Hiring, clock: ManualClock, world: Ec2World
    ) -> None:
        world.lagging = True
        before = ec2_world.a_fleet(clients, hiring, clock).start(an_intent())
        later = ec2_world.a_fleet(clients, replace(hiring, types=(ARM,)), clock)

        with pytest.raises(ServiceUnavailable):
            later.start(an_intent())
        world.catch_up()
        clock.advance(LATER)

        assert later.start(an_intent()).name == before.name
        assert world.launched == 1

    def test_a_market_that_refused_a_node_is_not_asked_for_it_again(
        self, fleet: Ec2Fleet, world: Ec2World
    ) -> None:
        """What it says the second time could be another answer, beside a lost one."""
        world.lagging = True
        world.refusals["spot"] = "UnfulfillableCapacity"
        world.lost_answers["on-demand"] = 1
        with pytest.raises(ServiceUnavailable):
            fleet.start(an_intent())

        assert fleet.start(an_intent()).market is Market.ON_DEMAND

        assert world.asked == ["spot", "on-demand", "on-demand"]

    def test_a_machine_is_known_before_it_is_listed(
        self, fleet: Ec2Fleet, world: Ec2World
    ) -> None:
        world.lagging = True

        machine = fleet.start(an_intent())

        assert fleet.machines() == {an_intent().id: machine}

    def test_a_machine_that_is_never_listed_is_no_machine_in_the_end(
        self, fleet: Ec2Fleet, clock: ManualClock, world: Ec2World
    ) -> None:
        world.lagging = True
        fleet.start(an_intent())

        clock.advance(timedelta(minutes=3))

        assert fleet.machines() == {}

    def test_a_machine_that_is_not_listed_yet_can_be_ended(
        self, fleet: Ec2Fleet, clients: AwsClients, hiring: Hiring, world: Ec2World
    ) -> None:
        world.lagging = True
        fleet.start(an_intent())

        fleet.kill(an_intent().id)

        world.catch_up()
        states = [each["State"]["Name"] for each in instances(clients, hiring)]
        assert states == ["terminated"]

    def test_a_machine_that_ended_is_shown_with_the_time_of_it(
        self, fleet: Ec2Fleet, clients: AwsClients, clock: ManualClock
    ) -> None:
        machine = fleet.start(an_intent())

        terminate(clients, machine.name)
        clock.advance(LATER)

        ended = fleet.machines()[an_intent().id]
        assert ended.ended_at is not None
        assert ended.started_at is not None
        assert ended.ended_at >= ended.started_at.replace(microsecond=0)
        assert fleet.alive() == frozenset()

    def test_a_node_whose_machine_ended_is_not_started_again(
        self, fleet: Ec2Fleet, clients: AwsClients, clock: ManualClock, world: Ec2World
    ) -> None:
        machine = fleet.start(an_intent())
        terminate(clients, machine.name)
        clock.advance(LATER)

        again = fleet.start(an_intent())

        assert (again.name, again.ended_at is None) == (machine.name, False)
        assert world.launched == 1

    def test_machines_of_others_are_neither_seen_nor_ended(
        self, fleet: Ec2Fleet, clients: AwsClients, hiring: Hiring, clock: ManualClock
    ) -> None:
        """Another installation, or this one's name before another store."""
        theirs = [
            ec2_world.a_fleet(clients, replace(hiring, store="another"), clock),
            ec2_world.a_fleet(clients, ec2_world.set_up(clients), clock),
        ]
        for number, other in enumerate(theirs):
            other.start(an_intent(f"theirs-{number}"))

        for number in range(len(theirs)):
            fleet.kill(NodeId(f"theirs-{number}"))

        assert fleet.machines() == {}
        for other in theirs:
            clock.advance(LATER)
            assert len(other.alive()) == 1

    def test_asking_often_is_one_call(self, fleet: Ec2Fleet, clients: AwsClients) -> None:
        calls: list[str] = []
        clients.client("ec2").meta.events.register(
            "before-call.ec2.DescribeInstances", lambda **_: calls.append("listed")
        )

        for _ in range(5):
            fleet.machines()

        assert len(calls) == 1

    def test_it_answers_for_nodes_on_ec2_whoever_started_them(
        self, fleet: Ec2Fleet
    ) -> None:
        elsewhere = replace(an_intent(), host="another-feederd")

        assert fleet.answers_for(elsewhere)
        assert not fleet.answers_for(replace(elsewhere, kind="hand"))
        assert fleet.outlives_feederd

    def test_machines_are_started_in_the_subnets_that_were_named_one_for_each_zone(
        self, clients: AwsClients, hiring: Hiring, clock: ManualClock, world: Ec2World
    ) -> None:
        """EC2 refuses a request that has two subnets of one zone for the same type."""
        ec2 = clients.client("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        made = [
            ec2.create_subnet(
                VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=zone
            )["Subnet"]["SubnetId"]
            for number, zone in enumerate(("us-east-1c", "us-east-1b", "us-east-1c"))
        ]
        places = Places(clients, made, clock)

        assert dict(places.zones()) == {made[0]: "us-east-1c", made[1]: "us-east-1b"}
        named = replace(hiring, subnets=(made[1],))
        assert (
            ec2_world.a_fleet(clients, named, clock).start(an_intent()).zone == "us-east-1b"
        )

    def test_a_subnet_that_does_not_exist_is_told(
        self, clients: AwsClients, hiring: Hiring, clock: ManualClock, world: Ec2World
    ) -> None:
        named = replace(hiring, subnets=("subnet-0123456789abcdef0",))

        with pytest.raises(InvalidSetting, match=r"^subnets: "):
            ec2_world.a_fleet(clients, named, clock).start(an_intent())
