"""Every call of the daemons, made with the rights of their roles and no others.

moto holds them to each right by name, and to objects and buckets on S3; of other services
it does not know which thing a call is about. It knows no SimpleDB.
"""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import settings as moto_settings
from moto.core.authorization import ActionAuthenticatorMixin
from setup_ground import Install, up
from tests import moto_ec2

from media_nommer.adapters.aws.clients import AwsClients, answering
from media_nommer.adapters.aws.dynamodb import DynamoStore, create_table
from media_nommer.adapters.aws.ec2 import Ec2Fleet, Hiring, InstanceTypes, Prices
from media_nommer.adapters.aws.s3 import S3Storage
from media_nommer.adapters.aws.sealing_keys import SsmKeys
from media_nommer.adapters.aws.setup.checking import check_sealing_key
from media_nommer.adapters.aws.setup.parts.part import Standing
from media_nommer.adapters.aws.setup.parts.sealing_keys import SealingKeyPart
from media_nommer.adapters.aws.setup.site import Site
from media_nommer.adapters.aws.sqs import SqsQueue
from media_nommer.core.clock import system_clock
from media_nommer.core.errors import AccessDenied, NommerError
from media_nommer.core.jobs import JobState
from media_nommer.core.nodes import Market, NodeState
from media_nommer.core.ports.store import JobFilter
from media_nommer.testing.samples import MINUTE, a_job, a_node, a_task

As = Callable[[str], AwsClients]


@pytest.fixture
def acting(install: Install, name: str) -> Iterator[As]:
    """Gives the clients of somebody who has the role of a node, or of feederd."""
    installation = install(sealing_key=SEALING_KEY.format(name))
    up(installation)
    policies, iam = installation.policies(), boto3.client("iam")
    trust = {"Version": "2012-10-17", "Statement": [TRUST]}
    sessions = {}
    for who in ("node", "feederd", "setup"):
        role = f"{name}-as-{who}"
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(trust))
        iam.put_role_policy(
            RoleName=role, PolicyName=who, PolicyDocument=_for_moto(policies[who])
        )
        arn = f"arn:aws:iam::123456789012:role/{role}"
        sessions[who] = boto3.client("sts").assume_role(RoleArn=arn, RoleSessionName="test")

    def clients(who: str) -> AwsClients:
        keys = sessions[who]["Credentials"]
        return AwsClients(
            session=boto3.Session(
                keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"]
            )
        )

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(moto_settings, "INITIAL_NO_AUTH_ACTION_COUNT", 0)
        patch.setattr(ActionAuthenticatorMixin, "request_count", 0)
        yield clients


@pytest.fixture
def bucket(name: str) -> str:
    return f"{name}-123456789012-us-east-1"


def _parameter(name: str) -> str:
    return SEALING_KEY.format(name).removeprefix("ssm://")


SEALING_KEY = "ssm:///nommer/{}/sealing-key"
TRUST = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}


def _for_moto(policy: Any) -> str:
    """Return a policy as moto can hold somebody to it.

    The things of other services than S3 are all of them. A list of objects is removed by a
    right on its bucket, where AWS asks for one on each object.
    """
    return json.dumps({**policy, "Statement": list(map(_statement, policy["Statement"]))})


def _statement(said: Any) -> Any:
    if not said["Action"][0].startswith("s3:"):
        return {**said, "Resource": "*"}
    if said["Effect"] == "Deny" or "s3:DeleteObject" not in said["Action"]:
        return said
    buckets = [resource.partition("/")[0] for resource in said["Resource"]]
    return {**said, "Resource": [*said["Resource"], *buckets]}


@pytest.mark.parametrize("who", ["node", "feederd"])
def test_the_store_asks_for_no_other_right(acting: As, name: str, who: str) -> None:
    clients = acting(who)

    create_table(clients, name)
    store = DynamoStore(clients, name)
    job = store.add_job(a_job())
    store.add_task(a_task())
    store.add_node(a_node())
    store.swap_task(store.get_task(a_task().id))
    moved = store.get_node(a_node().id).moved_to(NodeState.GONE, at=job.created_at)
    store.swap_node(moved)
    running = store.swap_job(job.moved_to(JobState.RUNNING, at=job.created_at))
    store.swap_job(running.moved_to(JobState.FAILED, at=job.created_at))

    assert store.list_jobs(JobFilter(states=(JobState.FAILED,))).jobs
    assert store.tasks_of(job.id, 1)
    assert store.unsettled_tasks() is not None
    assert store.nodes(gone=True)
    store.forget_node(a_node().id)
    store.forget_job(job.id, 1)


@pytest.mark.parametrize("who", ["node", "feederd"])
def test_the_queue_asks_for_no_other_right(acting: As, name: str, who: str) -> None:
    queue = SqsQueue(acting(who), name, system_clock)

    queue.put(a_task().id)
    taken = queue.take(MINUTE, wait=timedelta(seconds=20))

    assert taken is not None
    queue.keep(taken, MINUTE)
    queue.done(taken)
    assert queue.depth() == 0
    queue.close()


@pytest.mark.parametrize("who", ["node", "feederd"])
def test_the_sealing_key_is_read_with_no_other_right(
    acting: As, name: str, who: str
) -> None:
    clients = acting(who)
    keys = SsmKeys(clients, _parameter(name), system_clock)

    assert keys.named(keys.newest().id) == keys.newest()
    with pytest.raises(AccessDenied), answering("ssm"):
        clients.client("ssm").put_parameter(
            Name=_parameter(name), Value="0" * 64, Type="SecureString", Overwrite=True
        )
    with pytest.raises(AccessDenied), answering("ssm"):
        clients.client("ssm").delete_parameter(Name=_parameter(name))


@pytest.fixture
def site(install: Install, name: str) -> Site:
    return install(sealing_key=SEALING_KEY.format(name)).site


def test_who_sets_up_makes_and_removes_the_sealing_key_without_reading_it(
    site: Site, acting: As, name: str
) -> None:
    clients = acting("setup")
    part = SealingKeyPart(clients, site, _parameter(name))

    part.remove()
    nothing = part.look()
    part.make()

    assert nothing.standing is Standing.ABSENT
    assert part.look().standing is Standing.AS_WANTED
    with pytest.raises(AccessDenied):
        SsmKeys(clients, _parameter(name), system_clock).newest()
    said = check_sealing_key(clients, _parameter(name), "ada")
    assert not said.ok
    assert "ssm:GetParameter" in said.detail
    assert "nommer aws policies feederd" in said.advice


def test_a_node_may_do_to_objects_all_that_its_work_takes(
    acting: As, bucket: str, tmp_path: Path
) -> None:
    storage = S3Storage(acting("node"), scratch=tmp_path)
    small, large = tmp_path / "small", tmp_path / "large"
    small.write_bytes(b"film")
    large.write_bytes(bytes(20 << 20))
    work, out = f"s3://{bucket}/work/jobs/1", f"s3://{bucket}/out"

    storage.put(small, f"{work}/small")
    storage.put(large, f"{work}/large")
    storage.put(large, f"{work}/large", before=storage.stat(f"{work}/large").version)
    storage.copy(f"{work}/large", f"{out}/large.mp4")
    storage.fetch(f"{out}/large.mp4", tmp_path / "fetched")

    assert storage.stat(f"{out}/nothing") is None
    assert storage.read(f"{work}/small") == b"film"
    assert len(storage.list(f"{work}/")) == 2
    storage.delete(f"{out}/large.mp4")
    storage.delete_below(f"{work}/")


def test_feederd_sweeps_the_work_area_and_gives_links(
    acting: As, bucket: str, tmp_path: Path
) -> None:
    storage = S3Storage(acting("feederd"), scratch=tmp_path)
    (tmp_path / "log").write_bytes(b"log")
    S3Storage(acting("node")).put(tmp_path / "log", f"s3://{bucket}/out/film.mp4")

    storage.put(tmp_path / "log", f"s3://{bucket}/work/archive/1.json")

    assert storage.sweep(f"s3://{bucket}/work", timedelta(days=1)) == 0
    assert storage.link(f"s3://{bucket}/out/film.mp4", MINUTE)
    storage.delete_below(f"s3://{bucket}/work/archive")


@pytest.mark.parametrize("who", ["node", "feederd"])
def test_both_may_drop_what_was_half_put_at_a_destination(
    acting: As, bucket: str, who: str
) -> None:
    nodes = acting("node").client("s3")
    nodes.create_multipart_upload(Bucket=bucket, Key="out/film.mp4")
    now = datetime.now(UTC)

    dropped = S3Storage(acting(who)).drop_unfinished(
        [f"s3://{bucket}/out/film.mp4"], since=now - MINUTE, until=now + MINUTE
    )

    assert dropped == 1


def test_feederd_may_have_machines_and_end_them(
    acting: As, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    moto_ec2.correct(monkeypatch)
    clients = acting("feederd")
    types = ("c7i.xlarge",)
    hiring = Hiring(installation=name, store="s", types=types, markets=(Market.ON_DEMAND,))
    prices = Prices(clients, types, {"c7i.xlarge": 0.2})
    fleet = Ec2Fleet(clients, hiring, InstanceTypes(clients), prices)
    node = a_node()

    machine = fleet.start(node)

    assert fleet.machines()[node.id].name == machine.name
    fleet.kill(node.id)


def denied(call: Callable[[], object]) -> bool:
    try:
        call()
    except AccessDenied:
        return True
    except NommerError:
        return False
    return False


def test_what_nobody_needs_nobody_may_do(
    acting: As, bucket: str, name: str, tmp_path: Path
) -> None:
    node, feederd = acting("node"), acting("feederd")
    file = tmp_path / "wheel"
    file.write_bytes(b"hostile")

    def refused(clients: AwsClients, service: str, call: str, **request: Any) -> bool:
        def made() -> None:
            with answering(service):
                getattr(clients.client(service), call)(**request)

        return denied(made)

    bundle = f"s3://{bucket}/work/bundle/wheels/1/x.whl"
    assert denied(lambda: S3Storage(node).put(file, bundle))
    assert denied(lambda: S3Storage(feederd).put(file, bundle))
    assert denied(lambda: S3Storage(node).read("s3://somebody-elses/film.mp4"))
    assert refused(node, "ec2", "describe_instances")
    assert refused(node, "ec2", "terminate_instances", InstanceIds=["i-1"])
    assert refused(node, "dynamodb", "delete_table", TableName=name)
    assert refused(node, "sqs", "purge_queue", QueueUrl=f"http://x/1/{name}-high")
    assert refused(feederd, "dynamodb", "delete_table", TableName=name)
    assert refused(feederd, "ec2", "create_security_group", GroupName="x", Description="x")
    assert refused(feederd, "s3", "delete_bucket", Bucket=bucket)
