"""The settings that machines get: what was said here, and nothing that is of here alone."""

import tomllib
from pathlib import Path

import pytest

from media_nommer.conf import load_settings
from media_nommer.conf.machines import (
    feederd_settings,
    operator_settings,
    settings_text,
    worker_settings,
)
from media_nommer.core.errors import InvalidSetting

STATE = "/var/lib/media-nommer"
PLACES = {
    "installation": "films",
    "aws_region": "eu-central-1",
    "store": "dynamodb://films",
    "queue": "sqs://films",
    "work": "s3://bucket/work",
}
SAID = {
    "data_dir": "/home/ada/nommer",
    "ffmpeg": "/opt/ffmpeg",
    "idle_timeout": "90s",
    "max_nodes": "4",
    "instance_types": "c7g.large c7g.xlarge",
    "s3_roles": "theirs=arn:aws:iam::1:role/x",
    "max_hourly_cost": "1.5",
    "schedule": "sat,sun off",
}


def read(values: dict[str, object], tmp_path: Path) -> object:
    """Return the settings as the machine reads them."""
    path = tmp_path / "nommer.toml"
    path.write_text(settings_text(values), "utf-8")
    return load_settings(config=path, environ={})


def test_a_worker_reads_what_was_said_here(tmp_path: Path) -> None:
    here = load_settings(SAID, environ={})

    there = read(worker_settings(here, PLACES, STATE), tmp_path)

    for name in ("idle_timeout", "max_nodes", "s3_roles", "ffmpeg"):
        assert getattr(there, name) == getattr(here, name)
    for name, value in PLACES.items():
        assert getattr(there, name) == value
    assert (there.fleet, there.machine) == ("none", "ec2")
    assert str(there.data_dir) == STATE


def test_a_sealing_key_in_ssm_is_told_to_machines_and_a_file_of_here_is_not(
    tmp_path: Path,
) -> None:
    ssm, file = "ssm:///nommer/films/sealing-key", "file:///etc/sealing.key"
    for url, told in ((ssm, ssm), (file, None)):
        here = load_settings({"sealing_key": url}, environ={})

        worker = read(worker_settings(here, PLACES, STATE), tmp_path)
        feederd = read(feederd_settings(here, PLACES, STATE, "127.0.0.1"), tmp_path)

        assert (worker.sealing_key, feederd.sealing_key) == (told, told)
        assert operator_settings(here, PLACES)["sealing_key"] == url


def test_a_worker_waits_as_long_as_its_services_make_it(tmp_path: Path) -> None:
    here = load_settings({}, environ={})

    there = read(worker_settings(here, PLACES, STATE), tmp_path)

    assert here.lease.total_seconds() == 30
    assert there.lease.total_seconds() == 60


def test_files_and_neighbours_of_a_machine_are_no_sources_unless_said(
    tmp_path: Path,
) -> None:
    careful = read(worker_settings(load_settings({}, environ={}), PLACES, STATE), tmp_path)
    said = load_settings({"private_networks": "true"}, environ={})
    bold = read(worker_settings(said, PLACES, STATE), tmp_path)

    assert not careful.reads_private_networks
    assert careful.allowed_roots == ()
    assert bold.reads_private_networks


def test_a_feederd_elsewhere_plans_as_this_one_would(tmp_path: Path) -> None:
    here = load_settings(SAID, environ={})

    there = read(feederd_settings(here, PLACES, STATE, "127.0.0.1"), tmp_path)

    for name in ("max_hourly_cost", "schedule", "instance_types", "max_nodes"):
        assert getattr(there, name) == getattr(here, name)
    assert (there.fleet, str(there.data_dir), there.ffmpeg) == ("ec2", STATE, None)


def test_the_operators_own_file_is_what_was_said_and_where_things_are(
    tmp_path: Path,
) -> None:
    here = load_settings(SAID, environ={})

    again = read(operator_settings(here, PLACES), tmp_path)

    assert (again.fleet, again.store) == ("ec2", "dynamodb://films")
    assert again.data_dir == here.data_dir


def test_a_password_is_never_told_to_a_machine() -> None:
    with pytest.raises(InvalidSetting, match="password in s3_endpoint"):
        settings_text({"s3_endpoint": "https://ada:secret@minio.example"})


def test_text_is_toml_whatever_is_in_it() -> None:
    values: dict[str, object] = {
        "ffmpeg": 'a "b" \\ é\n',
        "n": 3,
        "on": True,
        "w": ("a", "b"),
    }

    assert tomllib.loads(settings_text(values)) == {
        "ffmpeg": 'a "b" \\ é\n',
        "n": 3,
        "on": True,
        "w": ["a", "b"],
    }
