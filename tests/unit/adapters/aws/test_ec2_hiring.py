"""What is asked of EC2, and what its answers mean."""

from dataclasses import replace
from typing import Any

import pytest

from media_nommer.adapters.aws.ec2.hiring import (
    Hiring,
    NothingLaunched,
    Refusal,
    failure_of,
    launched_in,
    meaning,
    request_for,
    token_of,
)
from media_nommer.adapters.aws.ec2.types import TypeFacts
from media_nommer.core.errors import (
    AccessDenied,
    LaunchFailed,
    NoCapacity,
    NommerError,
    QuotaReached,
    ServiceUnavailable,
)
from media_nommer.core.nodes import Market, NodeId

HIRING = Hiring(
    installation="films",
    store="abc",
    types=("c7i.xlarge", "c7g.xlarge", "c6i.xlarge"),
    markets=(Market.SPOT, Market.ON_DEMAND),
)
FACTS = {
    "c7i.xlarge": TypeFacts(vcpus=4, arm=False),
    "c6i.xlarge": TypeFacts(vcpus=4, arm=False),
    "c7g.xlarge": TypeFacts(vcpus=4, arm=True),
}
NODE = NodeId("n1")


def request(market: Market = Market.SPOT, hiring: Hiring = HIRING) -> dict[str, Any]:
    return request_for(NODE, market, hiring, FACTS, ["subnet-a", "subnet-b"])


def refused(*codes: str) -> dict[str, Any]:
    return {"Errors": [{"ErrorCode": code, "ErrorMessage": f"{code}!"} for code in codes]}


def test_every_type_may_come_in_every_subnet_from_the_template_of_its_processor() -> None:
    configs = request()["LaunchTemplateConfigs"]

    found = {
        config["LaunchTemplateSpecification"]["LaunchTemplateName"]: [
            (each["InstanceType"], each["SubnetId"]) for each in config["Overrides"]
        ]
        for config in configs
    }
    assert found == {
        "films-node": [
            (name, subnet)
            for name in ("c7i.xlarge", "c6i.xlarge")
            for subnet in ("subnet-a", "subnet-b")
        ],
        "films-node-arm64": [("c7g.xlarge", "subnet-a"), ("c7g.xlarge", "subnet-b")],
    }


def test_a_template_that_no_type_needs_is_not_asked_for() -> None:
    (config,) = request(hiring=replace(HIRING, types=("c7g.xlarge",)))[
        "LaunchTemplateConfigs"
    ]

    name = config["LaunchTemplateSpecification"]["LaunchTemplateName"]
    assert name == "films-node-arm64"


def test_one_machine_is_asked_for_at_once_and_on_one_market() -> None:
    on_spot, on_demand = request(Market.SPOT), request(Market.ON_DEMAND)

    for asked, kind in ((on_spot, "spot"), (on_demand, "on-demand")):
        target = {"TotalTargetCapacity": 1, "DefaultTargetCapacityType": kind}
        assert (asked["Type"], asked["TargetCapacitySpecification"]) == ("instant", target)
    assert "OnDemandOptions" not in on_spot
    assert "SpotOptions" not in on_demand


def test_a_request_that_is_repeated_says_the_very_same() -> None:
    assert request() == request()


def test_each_market_has_a_token_of_its_own() -> None:
    assert token_of(NODE, Market.SPOT) == "n1-spot"
    assert token_of(NODE, Market.ON_DEMAND) == "n1-on-demand"


@pytest.mark.parametrize("name", ["n" * 65, "nöde", "a b"])
def test_a_token_is_one_that_ec2_takes_whatever_the_id(name: str) -> None:
    token = token_of(NodeId(name), Market.SPOT)

    assert token.isascii()
    assert len(token) <= 64
    assert token != token_of(NodeId(name + "x"), Market.SPOT)


def test_a_machine_counts_whatever_errors_come_with_it() -> None:
    launched = {"InstanceIds": ["i-1"], "InstanceType": "c7i.xlarge"}
    answer = refused("InsufficientInstanceCapacity") | {"Instances": [launched]}

    assert launched_in(answer, Market.SPOT) == launched


@pytest.mark.parametrize(
    ("codes", "error"),
    [
        pytest.param(["InsufficientInstanceCapacity"], NothingLaunched, id="no capacity"),
        pytest.param(["VcpuLimitExceeded"], NothingLaunched, id="a quota"),
        pytest.param(["Odd", "UnfulfillableCapacity"], NothingLaunched, id="and another"),
        pytest.param(["RequestLimitExceeded"], ServiceUnavailable, id="too many requests"),
        pytest.param(["UnauthorizedOperation"], AccessDenied, id="no right"),
        pytest.param(
            ["AuthFailure.ServiceLinkedRoleCreation"],
            AccessDenied,
            id="no role",
        ),
        pytest.param(["Odd"], LaunchFailed, id="another reason"),
        pytest.param([], ServiceUnavailable, id="no reason"),
    ],
)
def test_an_answer_without_a_machine_says_whether_another_market_may_have_one(
    codes: list[str], error: type[NommerError]
) -> None:
    with pytest.raises(NommerError) as caught:
        launched_in(refused(*codes), Market.SPOT)

    assert type(caught.value) is error


@pytest.mark.parametrize("code", ["IdempotentParameterMismatch", "InternalError"])
def test_what_leaves_open_whether_something_was_launched_is_no_failed_launch(
    code: str,
) -> None:
    error = meaning(Market.SPOT, code, "said")

    assert isinstance(error, ServiceUnavailable)


def test_an_error_that_means_nothing_of_its_own_is_read_as_any_other() -> None:
    assert meaning(Market.SPOT, "InvalidParameterValue", "said") is None


def test_each_reason_is_told_once_with_its_market() -> None:
    refusals = [
        *[Refusal(Market.SPOT, "UnfulfillableCapacity", "none")] * 6,
        Refusal(Market.ON_DEMAND, "InsufficientInstanceCapacity", "none " * 100),
    ]

    error = failure_of(refusals)

    assert type(error) is NoCapacity
    assert error.message.count("UnfulfillableCapacity") == 1
    assert "on-demand: InsufficientInstanceCapacity (none none" in error.message
    assert len(error.message) < 400


def test_where_a_quota_is_among_the_reasons_it_is_the_one_to_see_to() -> None:
    refusals = [
        Refusal(Market.SPOT, "MaxSpotInstanceCountExceeded", "said"),
        Refusal(Market.ON_DEMAND, "InsufficientInstanceCapacity", "said"),
    ]

    assert type(failure_of(refusals)) is QuotaReached
