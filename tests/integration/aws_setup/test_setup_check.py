"""`nommer aws check`: what is missing, and what to do about it."""

import json
from typing import Any

import boto3
from setup_ground import Install, up

from media_nommer.core.findings import Finding


def found(install: Install, *, max_nodes: int = 1, **settings: Any) -> dict[str, Finding]:
    findings = install(**settings).check(max_nodes=max_nodes)
    return {finding.what: finding for finding in findings}


def test_nothing_is_there_before_up_and_all_of_it_after(install: Install) -> None:
    before = found(install)

    up(install())
    after = found(install)

    missing = {what for what, finding in before.items() if not finding.ok}
    assert missing >= {
        *("bucket", "queues", "table", "role", "security group", "bundle"),
        "launch template",
    }
    assert all(before[what].advice == "Run `nommer aws up`." for what in missing)
    assert not [what for what, finding in after.items() if not finding.ok]
    assert after["launch"].detail.startswith("EC2 would launch by")


def test_a_sealing_key_is_read_and_what_is_wrong_with_it_is_told(
    install: Install, name: str
) -> None:
    parameter = f"/nommer/{name}/key"
    sealed = {"sealing_key": f"ssm://{parameter}"}

    before = found(install, **sealed)
    up(install(**sealed))
    after = found(install, **sealed)
    boto3.client("ssm").put_parameter(Name=parameter, Value="no key", Overwrite=True)
    spoilt = found(install, **sealed)

    assert before["sealing key"].advice == "Run `nommer aws up`."
    assert not before["sealing key, read"].ok
    assert after["sealing key"].ok
    assert "version 1" in after["sealing key, read"].detail
    assert "is no key" in spoilt["sealing key, read"].detail
    assert "sealing key" not in found(install)


def test_a_hole_in_the_fence_is_a_problem(install: Install, ec2: Any, name: str) -> None:
    up(install())
    (group,) = ec2.describe_security_groups(
        Filters=[{"Name": "group-name", "Values": [f"{name}-node"]}]
    )["SecurityGroups"]
    ec2.authorize_security_group_ingress(
        GroupId=group["GroupId"],
        IpPermissions=[
            {
                "IpProtocol": "tcp",
                "FromPort": 22,
                "ToPort": 22,
                "IpRanges": [{"CidrIp": "0.0.0.0/0"}],
            }
        ],
    )

    finding = found(install)["security group"]

    assert not finding.ok
    assert finding.detail == f"{name}-node: the ways in"


def test_a_launch_template_that_is_behind_is_a_problem(
    install: Install, bundles: dict[str, bytes]
) -> None:
    up(install())
    bundles["media_nommer-1-py3-none-any.whl"] = b"newer"

    findings = found(install)

    assert not findings["launch template"].ok
    assert not findings["bundle"].ok


def test_rights_that_somebody_took_from_the_role_are_missed(
    install: Install, name: str
) -> None:
    up(install())
    boto3.client("iam").put_role_policy(
        RoleName=f"{name}-node",
        PolicyName="node",
        PolicyDocument=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {"Effect": "Allow", "Action": "sqs:GetQueueUrl", "Resource": "*"}
                ],
            }
        ),
    )

    finding = found(install)["role"]

    assert finding.detail == f"{name}-node: the policy node"
