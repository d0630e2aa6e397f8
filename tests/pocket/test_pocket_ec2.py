"""Pocket EC2: launches, states and metadata as Amazon documents them."""

import base64
import itertools
import json
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from tests.acceptance.site import wait_until
from tests.pocket.instances import Instance
from tests.pocket.pocket import Pocket

STAYS = "#!/bin/sh\necho it runs\nsleep 1000\n"
LEAVES = "#!/bin/sh\nshutdown -h now\n"
_numbers = itertools.count(1)
TAGS = {"nommer-node": "n1", "nommer:installation": "films"}


def template(cloud: Pocket, user_data: str, **more: Any) -> str:
    name = f"films-{next(_numbers)}-node"
    cloud.client("ec2").create_launch_template(
        LaunchTemplateName=name,
        LaunchTemplateData={
            "ImageId": "ami-12345678",
            "UserData": base64.b64encode(user_data.encode()).decode(),
            "InstanceInitiatedShutdownBehavior": "terminate",
            "IamInstanceProfile": {"Name": "films-node"},
            "MetadataOptions": {
                "HttpTokens": "required",
                "InstanceMetadataTags": "enabled",
            },
            **more,
        },
    )
    return name


def subnets(cloud: Pocket) -> Mapping[str, str]:
    found = cloud.client("ec2").describe_subnets()["Subnets"]
    return {each["AvailabilityZone"][-1]: each["SubnetId"] for each in found}


def wanting(
    cloud: Pocket,
    name: str,
    token: str = "n1-spot",
    *,
    market: str = "spot",
    types: Sequence[str] = ("c7i.xlarge", "c6a.xlarge"),
    tags: Mapping[str, str] = TAGS,
) -> dict[str, Any]:
    overrides = [
        {"InstanceType": kind, "SubnetId": subnet}
        for kind in types
        for zone, subnet in subnets(cloud).items()
        if zone in "ab"
    ]
    return {
        "Type": "instant",
        "ClientToken": token,
        "LaunchTemplateConfigs": [
            {
                "LaunchTemplateSpecification": {
                    "LaunchTemplateName": name,
                    "Version": "$Latest",
                },
                "Overrides": overrides,
            }
        ],
        "TargetCapacitySpecification": {
            "TotalTargetCapacity": 1,
            "DefaultTargetCapacityType": market,
        },
        "TagSpecifications": [
            {
                "ResourceType": "instance",
                "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
            }
        ],
    }


def launch(cloud: Pocket, user_data: str = STAYS, **more: Any) -> Instance:
    name = template(cloud, user_data)
    answer = cloud.client("ec2").create_fleet(**wanting(cloud, name, **more))
    assert not answer["Errors"]
    return cloud.instances[-1]


def listed(cloud: Pocket, **asked: Any) -> list[dict[str, Any]]:
    pages = cloud.client("ec2").get_paginator("describe_instances").paginate(**asked)
    return [i for page in pages for r in page["Reservations"] for i in r["Instances"]]


def begun(cloud: Pocket, instance: Instance) -> None:
    wait_until("it runs", lambda: "it runs" in cloud.said(instance))


def over(instance: Instance) -> None:
    wait_until("it is off", lambda: instance.state == "terminated")


def test_an_instance_goes_through_its_states_and_ends_itself(cloud: Pocket) -> None:
    instance = launch(cloud, LEAVES)
    over(instance)

    assert instance.history == ["pending", "running", "terminated"]
    (seen,) = listed(cloud)
    assert seen["InstanceId"] == instance.id
    assert seen["State"]["Name"] == "terminated"
    assert seen["StateReason"]["Code"] == "Client.InstanceInitiatedShutdown"
    assert seen["InstanceLifecycle"] == "spot"
    assert (seen["InstanceType"], seen["Placement"]["AvailabilityZone"]) == (
        instance.type,
        instance.zone,
    )
    assert {tag["Key"]: tag["Value"] for tag in seen["Tags"]} == TAGS
    assert not cloud.processes(instance)
    assert instance.billed_seconds > 0


def test_the_cheapest_pool_that_has_any_is_taken(cloud: Pocket) -> None:
    name = template(cloud, STAYS)
    cloud.client("ec2").create_fleet(**wanting(cloud, name, token="n1"))
    cheapest = cloud.instances[-1]
    cloud.supply.lack(type="c6a.xlarge", zone="*a", market="spot")
    next_one = cloud.client("ec2").create_fleet(**wanting(cloud, name, token="n2"))

    assert (cheapest.type, cheapest.zone[-1]) == ("c6a.xlarge", "a")
    (error,) = next_one["Errors"]
    assert error["ErrorCode"] == "InsufficientInstanceCapacity"
    assert error["Lifecycle"] == "spot"
    told = error["LaunchTemplateAndOverrides"]["Overrides"]
    assert (told["InstanceType"], told["SubnetId"]) == ("c6a.xlarge", subnets(cloud)["a"])
    second = cloud.instances[-1]
    assert (second.type, second.zone[-1]) == ("c6a.xlarge", "b")
    assert next_one["Instances"][0]["InstanceIds"] == [second.id]


def test_where_no_pool_has_any_each_says_so_and_nothing_is_launched(cloud: Pocket) -> None:
    name = template(cloud, STAYS)
    cloud.supply.lack(market="spot", code="MaxSpotInstanceCountExceeded")

    answer = cloud.client("ec2").create_fleet(**wanting(cloud, name))

    assert not answer["Instances"]
    codes = [error["ErrorCode"] for error in answer["Errors"]]
    assert codes == ["MaxSpotInstanceCountExceeded"] * 4
    assert not cloud.instances


def test_a_token_launches_once_however_often_it_is_asked(cloud: Pocket) -> None:
    name = template(cloud, STAYS)
    asked = wanting(cloud, name)
    answers = []

    def ask() -> None:
        answers.append(cloud.client("ec2").create_fleet(**asked)["Instances"])

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(cloud.instances) == 1
    assert answers == [answers[0]] * 4
    with pytest.raises(ClientError, match="IdempotentParameterMismatch"):
        cloud.client("ec2").create_fleet(**asked | wanting(cloud, name, market="on-demand"))


def test_an_answer_that_is_lost_has_launched_all_the_same(cloud: Pocket) -> None:
    name = template(cloud, STAYS)
    cloud.orders.lost_answers["CreateFleet"] = 1
    impatient = cloud.client("ec2", tries=1)

    with pytest.raises(ConnectionClosedError):
        impatient.create_fleet(**wanting(cloud, name))
    again = impatient.create_fleet(**wanting(cloud, name))

    assert [each.id for each in cloud.instances] == again["Instances"][0]["InstanceIds"]


def test_a_launch_with_tags_that_metadata_cannot_show_is_refused(cloud: Pocket) -> None:
    name = template(cloud, STAYS)

    with pytest.raises(ClientError, match="InvalidParameterValue"):
        cloud.client("ec2").create_fleet(**wanting(cloud, name, tags={"a/b": "1"}))

    assert not cloud.instances


def test_terminating_stops_politely_and_leaves_no_process(cloud: Pocket) -> None:
    script = "#!/bin/sh\ntrap 'echo asked to stop; exit' TERM\necho it runs\n"
    instance = launch(cloud, script + "while :; do sleep 0.1; done\n")
    begun(cloud, instance)

    answer = cloud.client("ec2").terminate_instances(InstanceIds=[instance.id])
    over(instance)

    (change,) = answer["TerminatingInstances"]
    assert change["PreviousState"]["Name"] == "running"
    assert change["CurrentState"]["Name"] == "shutting-down"
    assert instance.history == ["pending", "running", "shutting-down", "terminated"]
    (seen,) = listed(cloud)
    assert seen["StateTransitionReason"].startswith("User initiated (20")
    assert "asked to stop" in cloud.said(instance)
    assert not cloud.processes(instance)


def test_an_instance_that_is_terminated_before_it_boots_never_runs(cloud: Pocket) -> None:
    cloud.orders.boot = 3600
    instance = launch(cloud)

    cloud.client("ec2").terminate_instances(InstanceIds=[instance.id])
    over(instance)

    assert instance.history == ["pending", "shutting-down", "terminated"]
    assert not cloud.said(instance)


def test_one_that_never_boots_stays_pending_until_it_is_terminated(cloud: Pocket) -> None:
    cloud.orders.dead = 1
    name = template(cloud, STAYS)
    for token in ("n1", "n2"):
        cloud.client("ec2").create_fleet(**wanting(cloud, name, token=token))
    instance, other = cloud.instances
    begun(cloud, other)

    assert instance.state == "pending"
    cloud.client("ec2").terminate_instances(InstanceIds=[instance.id])
    assert instance.state == "terminated"


def test_lists_are_by_filters_and_pages_and_may_be_behind_the_times(cloud: Pocket) -> None:
    cloud.orders.dead = 12
    name = template(cloud, STAYS)
    for number in range(12):
        tags = {"nommer-node": f"n{number}", "installation": "films"}
        asked = wanting(cloud, name, token=f"n{number}", tags=tags)
        cloud.client("ec2").create_fleet(**asked)

    def found(*filters: tuple[str, str], **more: Any) -> set[str]:
        said = [{"Name": key, "Values": [value]} for key, value in filters]
        pages = {"PageSize": 5}
        instances = listed(cloud, Filters=said, PaginationConfig=pages, **more)
        return {i["Tags"][0]["Value"] for i in instances}

    assert len(found(("tag:installation", "films"), ("tag:nommer-node", "*"))) == 12
    assert found(("tag:nommer-node", "n1?")) == {"n10", "n11"}
    assert not found(("tag:installation", "other"))
    assert not found(("instance-state-name", "running"))
    cloud.orders.listed_after = 3600
    assert not found()
    with pytest.raises(ClientError, match=r"InvalidInstanceID\.NotFound"):
        listed(cloud, InstanceIds=[cloud.instances[0].id])
    cloud.orders.listed_after = 0
    with pytest.raises(ClientError, match="InvalidParameterValue"):
        found(("no-such-filter", "x"))


def test_spot_prices_are_told_for_each_type_and_zone(cloud: Pocket) -> None:
    asked = {"InstanceTypes": ["c7i.xlarge", "c6a.xlarge"]}

    pages = cloud.client("ec2").get_paginator("describe_spot_price_history")
    told = [
        each
        for page in pages.paginate(**asked, PaginationConfig={"PageSize": 5})
        for each in page["SpotPriceHistory"]
    ]

    zones = cloud.client("ec2").describe_availability_zones()["AvailabilityZones"]
    assert len({(t["InstanceType"], t["AvailabilityZone"]) for t in told}) == 2 * len(zones)
    assert all(0 < float(each["SpotPrice"]) < 0.1785 for each in told)


ASKS = """#!/usr/bin/env python3
import json, subprocess, urllib.error, urllib.request
base = "http://169.254.169.254/latest"
def ask(path, method="GET", **headers):
    request = urllib.request.Request(base + path, None, headers, method=method)
    try:
        return urllib.request.urlopen(request, timeout=60).read().decode()
    except urllib.error.HTTPError as error:
        return error.code
ttl = {"X-aws-ec2-metadata-token-ttl-seconds": "21600"}
token = ask("/api/token", "PUT", **ttl)
shown = {"X-aws-ec2-metadata-token": token}
role = ask("/meta-data/iam/security-credentials/", **shown)
print("SAID" + json.dumps({
    "without": ask("/meta-data/instance-id"),
    "too long": ask("/api/token", "PUT", **{**ttl, next(iter(ttl)): "21601"}),
    "forwarded": ask("/api/token", "PUT", **ttl, **{"X-Forwarded-For": "10.0.0.1"}),
    "wrong": ask("/meta-data/instance-id", **{"X-aws-ec2-metadata-token": "x"}),
    "id": ask("/meta-data/instance-id", **shown),
    "zone": ask("/meta-data/placement/availability-zone", **shown),
    "market": ask("/meta-data/instance-life-cycle", **shown),
    "node": ask("/meta-data/tags/instance/nommer-node", **shown),
    "tags": ask("/meta-data/tags/instance", **shown).split(),
    "document": json.loads(ask("/dynamic/instance-identity/document", **shown)),
    "role": role,
    "keys": sorted(json.loads(ask("/meta-data/iam/security-credentials/" + role, **shown))),
    "notice": ask("/meta-data/spot/instance-action", **shown),
    "rebalance": ask("/meta-data/events/recommendations/rebalance", **shown),
}), flush=True)
import time
while ask("/meta-data/spot/instance-action", **shown) == 404:
    time.sleep(0.05)
print("NOTICE" + ask("/meta-data/spot/instance-action", **shown), flush=True)
print("REBALANCE" + ask("/meta-data/events/recommendations/rebalance", **shown), flush=True)
time.sleep(1000)
"""


def test_an_instance_learns_of_itself_with_a_token_alone(cloud: Pocket) -> None:
    instance = launch(cloud, ASKS)
    wait_until("it has asked", lambda: "SAID" in cloud.said(instance))

    said = json.loads(cloud.said(instance).partition("SAID")[2].partition("\n")[0])

    assert (said["without"], said["wrong"], said["too long"]) == (401, 401, 400)
    assert said["forwarded"] == 403
    assert (said["id"], said["zone"]) == (instance.id, instance.zone)
    assert (said["market"], said["node"]) == ("spot", "n1")
    assert said["tags"] == sorted(TAGS)
    assert said["document"]["instanceType"] == instance.type
    assert said["role"] == "films-node"
    assert "SecretAccessKey" in said["keys"]
    assert (said["notice"], said["rebalance"]) == (404, 404)


def test_a_spot_instance_is_told_before_it_is_taken_back(cloud: Pocket) -> None:
    instance = launch(cloud, ASKS)
    wait_until("it has asked", lambda: "SAID" in cloud.said(instance))

    cloud.rebalance(instance)
    time_is_up = cloud.reclaim(instance, notice=3600)
    wait_until("it knows", lambda: "REBALANCE" in cloud.said(instance))
    assert instance.state == "running"
    time_is_up()
    told = json.loads(cloud.said(instance).partition("NOTICE")[2].partition("\n")[0])
    assert told["action"] == "terminate"
    over(instance)

    (seen,) = listed(cloud)
    assert seen["StateReason"]["Code"] == "Server.SpotInstanceTermination"
    assert "going down" not in cloud.said(instance)
    assert not cloud.processes(instance)


def test_a_spot_instance_may_be_taken_back_without_a_word(cloud: Pocket) -> None:
    instance = launch(cloud)
    begun(cloud, instance)

    cloud.reclaim(instance)
    over(instance)

    assert "going down" not in cloud.said(instance)
    assert not cloud.processes(instance)


def test_instances_reach_every_service_by_the_endpoints_that_hold_outside(
    cloud: Pocket,
) -> None:
    told = "\n".join(
        f"{name} {url}" for name, url in cloud.environment.items() if "ENDPOINT" in name
    )
    script = f"""#!/usr/bin/env python3
import socket, urllib.parse
for line in {told!r}.splitlines():
    name, url = line.split()
    parts = urllib.parse.urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), 60) as line:
        line.sendall(b"GET /moto-api/ HTTP/1.0\\r\\n\\r\\n")
        print(name, "answers", line.recv(8).decode(), flush=True)
print("it runs", flush=True)
"""
    instance = launch(cloud, script)
    begun(cloud, instance)

    assert cloud.said(instance).count("answers HTTP/1.") == 3


def test_what_moto_knows_is_answered_by_moto(cloud: Pocket) -> None:
    name = template(cloud, STAYS)

    found = cloud.client("ec2").describe_launch_templates(LaunchTemplateNames=[name])

    assert found["LaunchTemplates"][0]["LaunchTemplateName"] == name
    with pytest.raises(ClientError, match="NotFound"):
        cloud.client("ec2").create_fleet(**wanting(cloud, "no-such-template"))
