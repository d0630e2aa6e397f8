"""Policies name calls that exist, and only things of their own installation."""

from collections.abc import Iterator, Mapping
from typing import Any

import botocore.session
import pytest

from media_nommer.adapters.aws.s3.names import Place
from media_nommer.adapters.aws.setup.policies import (
    Policy,
    feederd_policy,
    node_policy,
    session_policy,
)
from media_nommer.adapters.aws.setup.setup_policies import setup_policy
from media_nommer.adapters.aws.setup.site import Site

SITE = Site(
    installation="films",
    account="123456789012",
    region="eu-central-1",
    work=Place("films-bucket", "work/"),
    queue="films",
    table="films",
    sources=(Place("uploads", "in/"),),
    destinations=(Place("shop", ""),),
    roles=("arn:aws:iam::111122223333:role/theirs",),
    parameter="/nommer/films/sealing-key",
)
ON_SIMPLEDB = Site(
    installation="films",
    account="123456789012",
    region="eu-central-1",
    work=Place("films-bucket", "work/"),
    queue="films",
    domain="films",
)
POLICIES = {
    "node": node_policy(SITE),
    "feederd": feederd_policy(SITE),
    "setup": setup_policy(SITE),
    "node on SimpleDB": node_policy(ON_SIMPLEDB),
    "feederd on SimpleDB": feederd_policy(ON_SIMPLEDB),
    "setup on SimpleDB": setup_policy(ON_SIMPLEDB),
    "sessions": session_policy(),
}

#: The models of boto3 by the services' names in policies.
MODELS = {"sdb": "sdb", "servicequotas": "service-quotas"}
#: Rights that have another name than the call, and those that go with no call of ours.
OF_OTHER_NAME = {
    "s3:ListBucketMultipartUploads": "s3:ListMultipartUploads",
    "s3:ListBucket": "s3:ListObjectsV2",
    "s3:ListBucketVersions": "s3:ListObjectVersions",
    "s3:GetBucketPublicAccessBlock": "s3:GetPublicAccessBlock",
    "s3:PutBucketPublicAccessBlock": "s3:PutPublicAccessBlock",
    "s3:GetLifecycleConfiguration": "s3:GetBucketLifecycleConfiguration",
    "s3:PutLifecycleConfiguration": "s3:PutBucketLifecycleConfiguration",
    "s3:DeleteObjectVersion": "s3:DeleteObject",
    "dynamodb:ListTagsOfResource": "dynamodb:ListTagsOfResource",
}
NO_CALLS = {"iam:PassRole", "ssm:UpdateInstanceInformation"}


def statements(policy: Policy) -> Iterator[Mapping[str, Any]]:
    yield from policy["Statement"]


def actions(policy: Policy) -> set[str]:
    return {action for each in statements(policy) for action in each["Action"]}


@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
def test_every_right_is_one_that_aws_knows(policy: Policy) -> None:
    session = botocore.session.get_session()
    for action in actions(policy) - NO_CALLS:
        service, _, call = OF_OTHER_NAME.get(action, action).partition(":")
        if service == "ssmmessages":
            continue  # the agent's own, of which boto3 has no model
        model = session.get_service_model(MODELS.get(service, service))
        assert call in model.operation_names, action


@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
def test_no_right_is_given_by_a_star(policy: Policy) -> None:
    assert not [action for action in actions(policy) if "*" in action]


def test_a_node_may_use_its_own_things_and_the_places_that_were_said() -> None:
    allowed = {
        resource
        for each in statements(node_policy(SITE))
        if each["Effect"] == "Allow"
        for resource in each["Resource"]
    }

    assert allowed == {
        *(f"arn:aws:sqs:eu-central-1:123456789012:films-{part}" for part in QUEUES),
        "arn:aws:dynamodb:eu-central-1:123456789012:table/films",
        "arn:aws:dynamodb:eu-central-1:123456789012:table/films/index/*",
        *(f"arn:aws:s3:::{bucket}" for bucket in ("films-bucket", "shop", "uploads")),
        *("arn:aws:s3:::films-bucket/work/*", "arn:aws:s3:::uploads/in/*"),
        *("arn:aws:s3:::shop/*", "arn:aws:iam::111122223333:role/theirs"),
        SEALING_KEY,
    }


SEALING_KEY = "arn:aws:ssm:eu-central-1:123456789012:parameter/nommer/films/sealing-key"
QUEUES = ("high", "normal", "low", "unreadable")


def test_a_node_may_not_write_to_sources_nor_change_what_others_install() -> None:
    by_name = {each["Sid"]: each for each in statements(node_policy(SITE))}

    assert by_name["Sources"]["Action"] == ["s3:GetObject"]
    assert by_name["Bundles"]["Effect"] == "Deny"
    assert by_name["Bundles"]["Resource"] == ["arn:aws:s3:::films-bucket/work/bundle/*"]


@pytest.mark.parametrize("who", ["node", "feederd"])
def test_the_sealing_key_may_be_read_and_nothing_else_done_to_it(who: str) -> None:
    by_name = {each["Sid"]: each for each in statements(POLICIES[who])}

    assert by_name["SealingKey"]["Action"] == ["ssm:GetParameter"]
    assert by_name["SealingKey"]["Resource"] == [SEALING_KEY]
    assert "SealingKey" not in {
        each["Sid"] for each in statements(POLICIES[f"{who} on SimpleDB"])
    }


def test_who_sets_up_makes_a_sealing_key_and_need_not_read_it() -> None:
    by_name = {each["Sid"]: each for each in statements(setup_policy(SITE))}

    assert "ssm:PutParameter" in by_name["SealingKey"]["Action"]
    assert by_name["SealingKey"]["Resource"] == [SEALING_KEY]
    assert "ssm:GetParameter" not in actions(setup_policy(SITE))


def test_a_parameter_without_a_path_is_known_by_its_name_too() -> None:
    assert SITE.parameter_arn("key").endswith(":123456789012:parameter/key")


def test_a_node_may_start_and_end_no_machine() -> None:
    assert not [each for each in actions(node_policy(SITE)) if each.startswith("ec2:")]


def test_feederd_may_end_machines_of_its_nodes_alone() -> None:
    by_name = {each["Sid"]: each for each in statements(feederd_policy(SITE))}

    ends = by_name["Ends"]
    assert ends["Action"] == ["ec2:TerminateInstances"]
    assert ends["Condition"] == {
        "StringEquals": {"aws:ResourceTag/nommer:installation": "films"},
        "Null": {"aws:ResourceTag/nommer-node": "false"},
    }


def test_feederd_may_hand_out_the_role_of_nodes_and_no_other() -> None:
    by_name = {each["Sid"]: each for each in statements(feederd_policy(SITE))}

    passes = by_name["NodesRole"]
    assert passes["Resource"] == ["arn:aws:iam::123456789012:role/films-node"]
    assert passes["Condition"] == {
        "StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}
    }


def test_names_of_statements_are_letters_and_digits_and_each_is_there_once() -> None:
    for policy in POLICIES.values():
        names = [each["Sid"] for each in statements(policy)]
        assert len(set(names)) == len(names)
        assert all(name.isalnum() for name in names)
