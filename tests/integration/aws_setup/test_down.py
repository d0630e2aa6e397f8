"""`nommer aws down`: what it removes, and what it never does."""

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from setup_ground import Install, up

from media_nommer import wiring
from media_nommer.adapters.aws.setup import Deed, Installation
from media_nommer.core.errors import BadRequest
from media_nommer.wiring import installing


def down(installation: Installation, *, delete_data: bool = False) -> list[str]:
    """Take the installation down; return what was done."""
    plan = installation.plan_down(delete_data=delete_data)
    plan.carry_out()
    return [f"{step.deed} {step.part.kind}" for step in plan.steps]


def test_all_that_up_has_made_is_gone_after_down(install: Install, name: str) -> None:
    feederd = wiring.FeederdOnEc2("t4g.small")
    up(install(feederd=feederd, instance_types="c7g.large,c7i.large"))

    down(install(), delete_data=True)

    left = install().plan_down(delete_data=True)
    iam = boto3.client("iam")
    roles = {role["RoleName"] for role in iam.list_roles()["Roles"]}
    assert left.steps == ()
    assert {f"{name}-node", f"{name}-feederd"}.isdisjoint(roles)
    assert up(install())[0] == "make bucket"


def test_records_and_results_stay_unless_somebody_says_otherwise(
    install: Install, name: str
) -> None:
    installation = install()
    up(installation)
    s3 = boto3.client("s3")
    s3.put_object(Bucket=installation.site.bucket, Key="out/film.mp4", Body=b"film")

    done = down(install())

    assert {"keep table", "keep bucket"} <= set(done)
    assert s3.head_object(Bucket=installation.site.bucket, Key="out/film.mp4")
    assert boto3.client("dynamodb").describe_table(TableName=name)
    assert "work/bundle/" not in str(s3.list_objects_v2(Bucket=installation.site.bucket))


def test_a_bucket_goes_with_all_that_is_in_it_when_that_is_said(install: Install) -> None:
    installation = install()
    up(installation)
    s3 = boto3.client("s3")
    s3.put_object(Bucket=installation.site.bucket, Key="out/film.mp4", Body=b"film")

    down(install(), delete_data=True)

    with pytest.raises(ClientError, match="404"):
        s3.head_bucket(Bucket=installation.site.bucket)


def test_what_others_made_is_never_removed(install: Install, name: str) -> None:
    s3, sqs = boto3.client("s3"), boto3.client("sqs")
    s3.create_bucket(Bucket=f"{name}-films")
    for part in ("high", "normal", "low", "unreadable"):
        sqs.create_queue(QueueName=f"{name}-{part}")
    up(install(work=f"s3://{name}-films/work"))

    plan = install(work=f"s3://{name}-films/work").plan_down(delete_data=True)
    plan.carry_out()

    kept = {step.part.kind for step in plan.steps if step.deed is Deed.KEEP}
    assert kept == {"bucket", "queues"}
    assert s3.head_bucket(Bucket=f"{name}-films")
    assert sqs.get_queue_url(QueueName=f"{name}-low")


def test_a_sealing_key_goes_if_up_has_made_it(install: Install, name: str) -> None:
    ours, theirs = f"/nommer/{name}/ours", f"/nommer/{name}/theirs"
    ssm = boto3.client("ssm")
    ssm.put_parameter(Name=theirs, Value="5a" * 32, Type="SecureString")
    up(install(sealing_key=f"ssm://{ours}"))
    up(install(sealing_key=f"ssm://{theirs}"))

    kept = down(install(sealing_key=f"ssm://{theirs}"))
    gone = down(install(sealing_key=f"ssm://{ours}"))

    assert "keep sealing key" in kept
    assert "remove sealing key" in gone
    assert ssm.get_parameter(Name=theirs)["Parameter"]["Version"] == 1
    with pytest.raises(ClientError, match="ParameterNotFound"):
        ssm.get_parameter(Name=ours)


def test_machines_of_nodes_end_and_those_of_others_do_not(
    install: Install, ec2: Any, name: str
) -> None:
    def machine(*tags: tuple[str, str]) -> str:
        said = [{"Key": key, "Value": value} for key, value in tags]
        made = ec2.run_instances(
            ImageId="ami-12c6146b",
            MinCount=1,
            MaxCount=1,
            TagSpecifications=[{"ResourceType": "instance", "Tags": said}],
        )
        return str(made["Instances"][0]["InstanceId"])

    up(install())
    ours = machine(("nommer:installation", name), ("nommer-node", "n1"))
    theirs = machine(("nommer:installation", f"{name}-x"), ("nommer-node", "n2"))

    down(install())

    found = ec2.describe_instances(InstanceIds=[ours, theirs])["Reservations"]
    states = {
        each["Instances"][0]["InstanceId"]: each["Instances"][0]["State"]["Name"]
        for each in found
    }
    assert states == {ours: "terminated", theirs: "running"}


def test_down_needs_to_know_no_image_and_no_wheels(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    up(install())

    def none(*_: object) -> None:
        raise BadRequest("there are no wheels")

    monkeypatch.setattr(installing, "bundle", none)

    assert "remove launch template" in down(install(image="ami-gone"))
