"""The CloudFormation template: right by its own schemas, and the same as `up`."""

import base64
import json
from typing import Any

import pytest
from cfnlint.api import lint_all
from setup_ground import Install, default_version, up

from media_nommer import wiring

FEEDERD = wiring.FeederdOnEc2("t4g.small", "203.0.113.7/32")


def resources(template: Any, kind: str) -> dict[str, Any]:
    found = template["Resources"].items()
    return {name: each["Properties"] for name, each in found if each["Type"] == kind}


@pytest.mark.parametrize("settings", [{}, {"instance_types": "c7g.large,c7i.large"}])
def test_cloudformation_takes_it(install: Install, settings: dict[str, str]) -> None:
    template = install(feederd=FEEDERD, **settings).template()

    found = lint_all(json.dumps(template))
    assert [str(match) for match in found if match.rule.id[0] in "EW"] == []


def test_it_says_of_machines_what_up_says(install: Install, ec2: Any, name: str) -> None:
    up(install(feederd=FEEDERD))

    template = install(feederd=FEEDERD).template()

    for said in resources(template, "AWS::EC2::LaunchTemplate").values():
        made = default_version(ec2, said["LaunchTemplateName"])
        wanted = dict(said["LaunchTemplateData"])
        told = wanted.pop("UserData")["Fn::Base64"]
        assert base64.b64decode(made["UserData"]).decode() == told
        assert made["MetadataOptions"] == wanted["MetadataOptions"]
        assert made["ImageId"] == wanted["ImageId"]


def test_roles_have_the_policies_that_are_printed(install: Install, name: str) -> None:
    installation = install(feederd=FEEDERD)

    roles = resources(installation.template(), "AWS::IAM::Role")

    printed = installation.policies()
    said = {
        role["RoleName"]: role["Policies"][0]["PolicyDocument"] for role in roles.values()
    }
    assert said == {
        f"{name}-node": printed["node"],
        f"{name}-feederd": printed["feederd"],
    }


def test_what_holds_data_outlives_the_stack(install: Install) -> None:
    template = install().template()

    kept = {
        each["Type"]
        for each in template["Resources"].values()
        if each.get("DeletionPolicy") == "Retain"
    }
    assert kept == {"AWS::S3::Bucket", "AWS::DynamoDB::Table"}


def test_nobody_gets_into_a_node(install: Install, name: str) -> None:
    groups = resources(install(feederd=FEEDERD).template(), "AWS::EC2::SecurityGroup")

    by_name = {group["GroupName"]: group for group in groups.values()}
    (way,) = by_name[f"{name}-feederd"]["SecurityGroupIngress"]
    assert "SecurityGroupIngress" not in by_name[f"{name}-node"]
    assert (way["FromPort"], way["ToPort"], way["CidrIp"]) == (8001, 8001, "203.0.113.7/32")


def test_a_bucket_that_was_said_is_none_of_its_business(install: Install) -> None:
    template = install(work="s3://somebodys-films/work").template()

    assert resources(template, "AWS::S3::Bucket") == {}
