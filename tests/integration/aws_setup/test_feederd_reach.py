"""Where feederd is reached on a machine of its own, as `up` and `check` tell it."""

import json
import re
from typing import Any

import pytest
from setup_ground import Install, up
from typer.testing import CliRunner, Result

from media_nommer import wiring
from media_nommer.cli.main import app
from media_nommer.core.findings import Finding

OPERATOR = "203.0.113.7/32"


@pytest.fixture
def private_subnet(ec2: Any) -> str:
    """One that gives no public addresses."""
    (vpc,) = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
    made = ec2.create_subnet(VpcId=vpc["VpcId"], CidrBlock="172.31.240.0/28")
    return str(made["Subnet"]["SubnetId"])


def feederd_from(cidr: str | None) -> wiring.FeederdOnEc2:
    return wiring.FeederdOnEc2("t4g.small", cidr)


def finding(install: Install, **settings: Any) -> Finding | None:
    findings = install(**settings).check(max_nodes=1)
    return next((each for each in findings if each.what == "feederd"), None)


def test_who_is_let_in_is_told_a_url_and_check_tells_it_again(
    install: Install, ec2: Any
) -> None:
    installation = install(feederd=feederd_from(OPERATOR))
    up(installation)

    reach = installation.reach(wait=True)

    assert reach is not None
    found = ec2.describe_instances(InstanceIds=[reach.machine])["Reservations"]
    public = found[0]["Instances"][0]["PublicIpAddress"]
    assert reach.url == f"http://{public}:8001"
    checked = finding(install)
    assert checked is not None
    assert checked.ok
    assert checked.detail == f"{reach.machine}, at {reach.url} for {OPERATOR}"


def test_a_subnet_without_public_addresses_is_said_to_give_none(
    install: Install, private_subnet: str
) -> None:
    installation = install(feederd=feederd_from(OPERATOR), subnets=private_subnet)
    up(installation)

    reach = installation.reach(wait=True)

    assert reach is not None
    assert reach.url is None
    assert "has no public address" in reach.sentence
    assert f"http://{reach.private}:8001" in reach.sentence


def test_who_comes_by_a_private_network_is_told_the_private_address(
    install: Install,
) -> None:
    installation = install(feederd=feederd_from("10.0.0.0/8"))
    up(installation)

    reach = installation.reach(wait=True)

    assert reach is not None
    assert reach.url == f"http://{reach.private}:8001"


def test_nobody_who_is_let_in_is_no_url(install: Install) -> None:
    installation = install(feederd=feederd_from(None))
    up(installation)

    reach = installation.reach(wait=True)

    assert reach is not None
    assert reach.url is None
    assert "a session of SSM" in reach.sentence


def test_a_machine_that_stands_still_is_a_problem(install: Install, ec2: Any) -> None:
    installation = install(feederd=feederd_from(OPERATOR))
    up(installation)
    reach = installation.reach()
    assert reach is not None
    ec2.stop_instances(InstanceIds=[reach.machine])

    checked = finding(install)

    assert checked is not None
    assert not checked.ok
    assert checked.detail == f"{reach.machine} is stopped"
    assert "--with-feederd" in checked.advice


def test_without_a_machine_of_its_own_nothing_is_told_of_feederd(install: Install) -> None:
    up(install())

    assert install().reach() is None
    assert finding(install) is None


def test_up_prints_the_url_and_a_second_one_the_same(
    install: Install, name: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOMMER_CONFIG", "")
    monkeypatch.setenv("NOMMER_INSTALLATION", name)
    monkeypatch.setenv("NOMMER_DATA_DIR", str(tmp_path))

    def run(*words: str) -> Result:
        said = ["aws", "up", "--with-feederd", "--feederd-from", OPERATOR, *words]
        return CliRunner().invoke(app, said)

    dry = run("--dry-run")
    first = run("--yes")
    again = json.loads(run("--yes", "--json").stdout.splitlines()[-1])

    (url,) = re.findall(r"export NOMMER_URL=(\S+)", first.stdout)
    assert re.fullmatch(r"http://[0-9.]+:8001", url)
    assert "NOMMER_URL" not in dry.stdout
    assert again["feederd_url"] == url
