"""`nommer aws image`: a machine installs, stops, and becomes an image."""

from typing import Any

import pytest
from setup_ground import Install, default_version, up
from tests.aws_images import plant_debian

from media_nommer.core.errors import SetupFailed


def machines(ec2: Any, name: str, state: str) -> list[str]:
    found = ec2.describe_instances(
        Filters=[
            {"Name": "tag:Name", "Values": [f"{name}-image"]},
            {"Name": "instance-state-name", "Values": [state]},
        ]
    )["Reservations"]
    return [each["Instances"][0]["InstanceId"] for each in found]


def test_an_image_is_baked_once_and_leaves_no_machine(
    install: Install, ec2: Any, name: str
) -> None:
    installation = install()
    up(installation)

    def installed(_seconds: float) -> None:
        ec2.stop_instances(InstanceIds=machines(ec2, name, "running"))

    told: list[str] = []
    first = installation.bake("debian-12", told.append, pause=installed)
    second = installation.bake("debian-12", told.append, pause=installed)

    (image,) = ec2.describe_images(ImageIds=[first["x86_64"]])["Images"]
    tags = {tag["Key"]: tag["Value"] for tag in image["Tags"]}
    assert second == first
    assert tags == {
        "nommer:installation": name,
        "nommer:bundle": installation.bundle("x86_64").sha256,
        "nommer:base": plant_debian(),
    }
    assert machines(ec2, name, "running") == machines(ec2, name, "stopped") == []
    assert told[-1].endswith("already")


def test_the_settings_can_name_the_image(install: Install, ec2: Any, name: str) -> None:
    installation = install()
    up(installation)

    def installed(_seconds: float) -> None:
        ec2.stop_instances(InstanceIds=machines(ec2, name, "running"))

    baked = installation.bake("debian-12", lambda _words: None, pause=installed)["x86_64"]
    done = up(install(image=baked))

    assert done == ["change launch template"]
    assert default_version(ec2, f"{name}-node")["ImageId"] == baked


def test_a_machine_that_cannot_install_is_told_of_and_ended(
    install: Install, ec2: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation = install()
    up(installation)

    def lost(_seconds: float) -> None:
        ec2.terminate_instances(InstanceIds=machines(ec2, name, "running"))

    with pytest.raises(SetupFailed, match="was ended by somebody"):
        installation.bake("debian-12", lambda _words: None, pause=lost)

    assert machines(ec2, name, "running") == []


def test_what_the_console_says_of_a_failure_is_passed_on(
    install: Install, ec2: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation = install()
    up(installation)
    console = "booting\nOSError: no route\nmedia-nommer: failed: see above\n"
    monkeypatch.setattr(
        "media_nommer.adapters.aws.setup.baking._console", lambda *_: console
    )

    with pytest.raises(SetupFailed, match="no route"):
        installation.bake("debian-12", lambda _words: None)

    assert machines(ec2, name, "running") == []


def test_nothing_is_baked_before_up(install: Install) -> None:
    with pytest.raises(SetupFailed, match="not as wanted"):
        install().bake("debian-12", lambda _words: None)


def test_down_removes_images_as_well(install: Install, ec2: Any, name: str) -> None:
    installation = install()
    up(installation)

    def installed(_seconds: float) -> None:
        ec2.stop_instances(InstanceIds=machines(ec2, name, "running"))

    installation.bake("debian-12", lambda _words: None, pause=installed)
    install().plan_down(delete_data=False).carry_out()

    ours = [{"Name": "tag:nommer:installation", "Values": [name]}]
    assert ec2.describe_images(Owners=["self"], Filters=ours)["Images"] == []
