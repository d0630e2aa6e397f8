from collections.abc import Mapping
from typing import Any

import pytest
from tests import ec2_world, moto_ec2
from tests.contract.mutants import failures
from typing_extensions import override

from media_nommer.adapters.aws.clients import AwsClients
from media_nommer.adapters.aws.ec2 import Ec2Fleet
from media_nommer.adapters.aws.ec2 import fleet as fleet_module
from media_nommer.core.nodes import NodeId
from media_nommer.core.ports.fleet import Fleet
from media_nommer.testing.clock import ManualClock
from media_nommer.testing.fleet_contract import FleetContract


class Ec2FleetContract(FleetContract):
    """The contract, with the machines counted by EC2 and ended as they end themselves."""

    @override
    def drain(self, fleet: Fleet, node_id: NodeId) -> None:
        """Play the machine whose worker saw in its record that it is to end."""
        assert isinstance(fleet, Ec2Fleet)
        ec2_world.terminate(fleet._clients, fleet.machines()[node_id].name)
        assert isinstance(fleet._clock, ManualClock)
        fleet._clock.advance(ec2_world.LATER)

    @override
    def launches(self, fleet: Fleet) -> int:
        assert isinstance(fleet, Ec2Fleet)
        return len(ec2_world.instances(fleet._clients, fleet._hiring))


class TestEc2Fleet(ec2_world.OnEc2, Ec2FleetContract):
    pass


def test_a_fleet_without_client_tokens_is_found(
    aws: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lists lag behind: without a token nobody could tell that a machine was launched."""
    with_token = fleet_module.request_for

    def without_token(*given: Any) -> dict[str, Any]:
        request = with_token(*given)
        del request["ClientToken"]
        return request

    monkeypatch.setattr(fleet_module, "request_for", without_token)
    monkeypatch.setattr("media_nommer.testing.fleet_contract.PATIENCE", 0.05)
    moto_ec2.correct(monkeypatch)

    def fixtures() -> Mapping[str, object]:
        clients, clock = AwsClients(), ManualClock()
        return {"fleet": ec2_world.a_fleet(clients, ec2_world.set_up(clients), clock)}

    assert failures(Ec2FleetContract, fixtures) == {
        "test_a_node_is_started_once_however_often_it_is_asked_for"
    }
