"""`nommer aws up`: what it makes, and that it makes it once."""

import base64
import json
from typing import Any

import boto3
import pytest
from setup_ground import Install, default_version, up
from tests.aws_images import plant_debian

from media_nommer import wiring
from media_nommer.adapters.aws.setup import Architecture, Deed
from media_nommer.core.errors import InvalidSetting

FEEDERD = wiring.FeederdOnEc2("t4g.small")


def test_up_makes_everything_and_then_finds_nothing_to_do(install: Install) -> None:
    done = up(install(feederd=FEEDERD))

    again = up(install(feederd=FEEDERD))

    kinds = [
        *("bucket", "queues", "table", "role", "role", "security group"),
        *("security group", "bundle", "bundle", "launch template", "launch template"),
        "feederd",
    ]
    assert [each for each in done if each != "make spot role"] == [
        f"make {kind}" for kind in kinds
    ]
    assert again == []


def test_a_plan_alone_changes_nothing(install: Install) -> None:
    first = install().plan_up()

    second = install().plan_up()

    assert len(first.to_do) > 0
    assert [step.title for step in first.to_do] == [step.title for step in second.to_do]


def test_a_sealing_key_is_made_once_and_nobody_is_told(install: Install, name: str) -> None:
    installation = install(sealing_key=f"ssm:///nommer/{name}/key", feederd=FEEDERD)
    ssm, parameter = boto3.client("ssm"), f"/nommer/{name}/key"

    planned = [step.title for step in installation.plan_up().to_do]
    done = up(installation)

    found = ssm.get_parameter(Name=parameter, WithDecryption=True)["Parameter"]
    tags = ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=parameter)
    told = [template.user_data for template in installation.blueprint.templates]
    assert f"sealing key {parameter}" in planned
    assert "make sealing key" in done
    assert found["Type"] == "SecureString"
    assert len(bytes.fromhex(found["Value"])) == 32
    assert tags["TagList"] == [{"Key": "nommer:installation", "Value": name}]
    assert len(told) == 2
    assert all(f'sealing_key = "ssm://{parameter}"' in text for text in told)
    assert not any(found["Value"] in text for text in told)
    assert up(install(sealing_key=f"ssm://{parameter}", feederd=FEEDERD)) == []
    again = ssm.get_parameter(Name=parameter, WithDecryption=True)["Parameter"]
    assert (again["Value"], again["Version"]) == (found["Value"], 1)


def test_nobody_gets_into_a_node_and_only_some_ways_lead_out(
    install: Install, aws: str, ec2: Any, name: str
) -> None:
    up(install())

    (group,) = ec2.describe_security_groups(
        Filters=[{"Name": "group-name", "Values": [f"{name}-node"]}]
    )["SecurityGroups"]
    out = {(way["IpProtocol"], way["FromPort"]) for way in group["IpPermissionsEgress"]}
    amazon = int(aws.rpartition(":")[2])
    assert group["IpPermissions"] == []
    assert out == {
        *(("tcp", port) for port in (53, 80, 443, amazon)),
        *(("udp", port) for port in (53, 123)),
    }


def test_a_way_in_that_somebody_opened_is_found_and_closed(
    install: Install, ec2: Any, name: str
) -> None:
    up(install())
    groups = [{"Name": "group-name", "Values": [f"{name}-node"]}]
    (group,) = ec2.describe_security_groups(Filters=groups)["SecurityGroups"]
    ssh = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22}
    ec2.authorize_security_group_ingress(
        GroupId=group["GroupId"],
        IpPermissions=[{**ssh, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}],
    )

    done = up(install())

    (group,) = ec2.describe_security_groups(Filters=groups)["SecurityGroups"]
    assert done == ["change security group"]
    assert group["IpPermissions"] == []


def test_a_machine_keeps_to_version_2_of_its_metadata_and_goes_when_it_shuts_down(
    install: Install, ec2: Any, name: str
) -> None:
    up(install(volume_size="25GiB"))

    said = default_version(ec2, f"{name}-node")
    assert said["MetadataOptions"]["HttpTokens"] == "required"
    assert said["MetadataOptions"]["HttpPutResponseHopLimit"] == 1
    assert said["MetadataOptions"]["InstanceMetadataTags"] == "enabled"
    assert said["InstanceInitiatedShutdownBehavior"] == "terminate"
    assert said["BlockDeviceMappings"][0]["Ebs"] == {
        "VolumeType": "gp3",
        "VolumeSize": 25,
        "Encrypted": True,
        "DeleteOnTermination": True,
    }


def test_each_architecture_has_a_template_with_its_image_and_its_bundle(
    install: Install, ec2: Any, name: str
) -> None:
    newest = plant_debian("arm64", day=9)
    installation = install(instance_types="c7g.large,c7i.large")

    up(installation)

    arm, x86 = (
        default_version(ec2, template)
        for template in (f"{name}-node-arm64", f"{name}-node")
    )
    assert arm["ImageId"] == newest
    assert x86["ImageId"] == plant_debian()
    for said, architecture in zip((arm, x86), ("arm64", "x86_64"), strict=True):
        told = base64.b64decode(said["UserData"]).decode()
        assert installation.bundle(architecture).sha256 in told


def test_feederds_machine_has_an_image_and_a_bundle_of_its_own_architecture(
    install: Install, ec2: Any, name: str
) -> None:
    installation = install(instance_types="c7i.large", feederd=FEEDERD)

    up(installation)

    said = default_version(ec2, f"{name}-feederd")
    told = base64.b64decode(said["UserData"]).decode()
    (image,) = ec2.describe_images(ImageIds=[said["ImageId"]])["Images"]
    assert (said["InstanceType"], image["Architecture"]) == ("t4g.small", "arm64")
    assert installation.bundle(Architecture.ARM).sha256 in told
    assert installation.bundle(Architecture.X86).sha256 not in told


@pytest.mark.parametrize(
    ("network", "host"),
    [
        pytest.param(None, "127.0.0.1", id="nobody is let in"),
        pytest.param("203.0.113.7/32", "0.0.0.0", id="by IPv4"),
        pytest.param("2001:db8:1::/48", "::", id="by IPv6, and IPv4"),
    ],
)
def test_feederd_listens_where_those_reach_it_who_are_let_in(
    install: Install, ec2: Any, name: str, network: str | None, host: str
) -> None:
    up(install(feederd=wiring.FeederdOnEc2("t4g.small", network)))

    told = base64.b64decode(default_version(ec2, f"{name}-feederd")["UserData"]).decode()
    assert f'host = "{host}"' in told


def test_a_new_bundle_is_uploaded_and_becomes_the_default(
    install: Install, bundles: dict[str, bytes], ec2: Any, name: str
) -> None:
    up(install())
    before = default_version(ec2, f"{name}-node")["UserData"]
    bundles["media_nommer-1-py3-none-any.whl"] = b"ours, but changed"

    done = up(install())

    assert done == ["make bundle", "change launch template"]
    assert default_version(ec2, f"{name}-node")["UserData"] != before
    assert up(install()) == []


def test_wheels_that_two_bundles_share_lie_there_once(
    install: Install, bundles: dict[str, bytes]
) -> None:
    installation = install()
    up(installation)
    bundles["media_nommer-1-py3-none-any.whl"] = b"ours, but changed"

    up(install())

    listed = boto3.client("s3").list_objects_v2(
        Bucket=installation.site.bucket, Prefix="work/bundle/"
    )
    names = sorted(found["Key"].rpartition("/")[2] for found in listed["Contents"])
    ours, pip = "media_nommer-1-py3-none-any.whl", "pip-9-py3-none-any.whl"
    assert names == ["bundle.json", "bundle.json", ours, ours, pip]


def test_a_bucket_that_was_there_keeps_its_own_rules_and_gets_ours(
    install: Install, name: str
) -> None:
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=f"{name}-films")
    theirs = {
        "ID": "theirs",
        "Status": "Enabled",
        "Filter": {"Prefix": "old/"},
        "Expiration": {"Days": 9},
    }
    s3.put_bucket_lifecycle_configuration(
        Bucket=f"{name}-films", LifecycleConfiguration={"Rules": [theirs]}
    )

    done = up(install(work=f"s3://{name}-films/nommer"))

    rules = s3.get_bucket_lifecycle_configuration(Bucket=f"{name}-films")["Rules"]
    prefixes = {rule["ID"]: rule["Filter"]["Prefix"] for rule in rules}
    assert "change bucket" in done
    assert prefixes == {
        "theirs": "old/",
        "nommer-node-logs": "nommer/nodes/",
        "nommer-unfinished-uploads": "nommer/",
    }
    assert up(install(work=f"s3://{name}-films/nommer")) == []


def test_everything_that_takes_tags_is_tagged(install: Install, name: str) -> None:
    installation = install(feederd=FEEDERD)

    up(installation)

    ours = {"Key": "nommer:installation", "Value": name}
    iam, dynamodb, s3 = (boto3.client(each) for each in ("iam", "dynamodb", "s3"))
    table = dynamodb.describe_table(TableName=name)["Table"]["TableArn"]
    ec2, sqs = boto3.client("ec2"), boto3.client("sqs")
    who_has_one = ("node", "feederd")
    machine = installation.feederd and installation.feederd.machine()
    found = [
        s3.get_bucket_tagging(Bucket=installation.site.bucket)["TagSet"],
        dynamodb.list_tags_of_resource(ResourceArn=table)["Tags"],
        *(iam.get_role(RoleName=f"{name}-{who}")["Role"]["Tags"] for who in who_has_one),
        *(
            each["Tags"]
            for each in ec2.describe_launch_templates(
                LaunchTemplateNames=[f"{name}-node", f"{name}-feederd"]
            )["LaunchTemplates"]
        ),
        ec2.describe_instances(InstanceIds=[machine])["Reservations"][0]["Instances"][0][
            "Tags"
        ],
    ]
    assert all(ours in tags for tags in found)
    for part in ("high", "normal", "low", "unreadable"):
        url = sqs.get_queue_url(QueueName=f"{name}-{part}")["QueueUrl"]
        assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"nommer:installation": name}


def test_somebody_elses_role_is_never_taken(install: Install, name: str) -> None:
    boto3.client("iam").create_role(
        RoleName=f"{name}-node", AssumeRolePolicyDocument=json.dumps({"Statement": []})
    )

    with pytest.raises(InvalidSetting, match="has not made"):
        install().plan_up()


def test_feederd_is_one_and_a_changed_one_takes_its_place(
    install: Install, ec2: Any, name: str
) -> None:
    def machines() -> list[str]:
        found = ec2.describe_instances(
            Filters=[
                {"Name": "tag-key", "Values": ["nommer-feederd"]},
                {"Name": "tag:nommer:installation", "Values": [name]},
                {"Name": "instance-state-name", "Values": ["pending", "running"]},
            ]
        )["Reservations"]
        return [each["Instances"][0]["InstanceId"] for each in found]

    up(install(feederd=FEEDERD))
    first = machines()
    up(install(feederd=FEEDERD))
    same = machines()

    done = up(install(feederd=FEEDERD, max_nodes=7))

    assert len(first) == 1
    assert same == first
    assert done == ["change launch template", "change launch template", "change feederd"]
    assert len(machines()) == 1
    assert machines() != first


def test_feederds_port_is_open_to_whom_the_operator_says_and_to_nobody_else(
    install: Install, ec2: Any, name: str
) -> None:
    def ways_in() -> list[tuple[int, str]]:
        (group,) = ec2.describe_security_groups(
            Filters=[{"Name": "group-name", "Values": [f"{name}-feederd"]}]
        )["SecurityGroups"]
        return [
            (way["FromPort"], each["CidrIp"])
            for way in group["IpPermissions"]
            for each in way["IpRanges"]
        ]

    up(install(feederd=FEEDERD))
    closed = ways_in()
    up(install(feederd=wiring.FeederdOnEc2("t4g.small", "203.0.113.7/32")))

    assert closed == []
    assert ways_in() == [(8001, "203.0.113.7/32")]


def test_no_network_to_be_in_is_told_with_what_to_do(install: Install) -> None:
    with pytest.raises(InvalidSetting, match="subnet"):
        install(subnets="subnet-00000000").plan_up()


def test_a_store_that_machines_cannot_reach_is_refused(install: Install) -> None:
    with pytest.raises(InvalidSetting, match="dynamodb://"):
        install(store="sqlite:////tmp/x.db")


def test_instance_types_that_the_image_does_not_fit_are_refused(install: Install) -> None:
    x86 = plant_debian()

    with pytest.raises(InvalidSetting, match="arm64"):
        install(image=x86, instance_types="c7g.large").plan_up()


def test_what_was_there_before_is_kept_as_it_is(install: Install, name: str) -> None:
    boto3.client("sqs").create_queue(QueueName=f"{name}-high")
    for part in ("normal", "low", "unreadable"):
        boto3.client("sqs").create_queue(QueueName=f"{name}-{part}")

    plan = install().plan_up()

    (queues,) = (step for step in plan.steps if step.part.kind == "queues")
    assert queues.deed is Deed.KEEP
    assert queues.details == ("not made by `nommer aws up`",)
