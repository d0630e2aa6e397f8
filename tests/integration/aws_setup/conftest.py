"""Installations on moto, with wheels that are small and always the same."""

import itertools
from pathlib import Path
from typing import Any

import boto3
import pytest
from setup_ground import Install
from tests.aws_images import plant_debian

from media_nommer import wiring
from media_nommer.adapters.aws.setup import Architecture, Bundle, Installation, bundle_of
from media_nommer.conf import Settings, load_settings
from media_nommer.wiring import installing

_numbers = itertools.count(1)


@pytest.fixture
def name() -> str:
    """The name of an installation that nobody else has."""
    return f"test-{next(_numbers)}"


@pytest.fixture
def bundles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """What every machine installs, by the names of the wheels; it may be changed."""
    wheels = {"media_nommer-1-py3-none-any.whl": b"ours", "pip-9-py3-none-any.whl": b"pip"}

    def small(_settings: Settings, architecture: Architecture) -> Bundle:
        folder = tmp_path / f"wheels-{next(_numbers)}"
        folder.mkdir()
        for file, data in wheels.items():
            (folder / file).write_bytes(data + architecture.encode())
        return bundle_of(folder.iterdir(), architecture=architecture, python="3.11")

    monkeypatch.setattr(installing, "bundle", small)
    return wheels


@pytest.fixture
def install(aws: str, bundles: dict[str, bytes], name: str, tmp_path: Path) -> Install:
    """Describes the installation as some settings want it."""
    plant_debian()
    plant_debian("arm64")

    def described(
        *, feederd: wiring.FeederdOnEc2 | None = None, **settings: Any
    ) -> Installation:
        said = {"data_dir": tmp_path, "installation": name, **settings}
        return wiring.aws_installation(load_settings(said, environ={}), feederd=feederd)

    return described


@pytest.fixture
def ec2(aws: str) -> Any:
    return boto3.client("ec2")
