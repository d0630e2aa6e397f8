"""What a machine is told: short enough, without a secret, and right for cloud-init."""

import configparser
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from media_nommer.adapters.aws.setup import (
    BundlePlace,
    Purpose,
    first_boot,
    user_data,
)
from media_nommer.core.errors import SetupFailed

BUNDLE = BundlePlace(
    bucket="nommer-123456789012-eu-central-1",
    prefix="work/",
    sha256="ab" * 32,
    region="eu-central-1",
)
SETTINGS = 'store = "dynamodb://nommer"\nfile_roots = []\nffmpeg = "/opt/ffmpeg é"\n'


def told(purpose: Purpose, **environment: str) -> Any:
    text = user_data(purpose, BUNDLE, settings=SETTINGS, environment=environment)
    return yaml.safe_load(text)


def files(document: Any) -> dict[str, str]:
    return {each["path"]: each["content"] for each in document["write_files"]}


@pytest.mark.parametrize("purpose", Purpose)
def test_it_is_far_shorter_than_ec2_takes(purpose: Purpose) -> None:
    text = user_data(purpose, BUNDLE, settings=SETTINGS)

    assert text.startswith("#cloud-config\n")
    assert len(text.encode()) < 12 * 1024


def test_settings_that_make_it_too_long_are_refused() -> None:
    with pytest.raises(SetupFailed, match="16,384"):
        user_data(Purpose.WORKER, BUNDLE, settings=f"x = {'1' * 16_000}\n")


@pytest.mark.parametrize("purpose", Purpose)
def test_cloud_init_takes_it(purpose: Purpose, tmp_path: Path) -> None:
    program = shutil.which("cloud-init")
    if program is None:
        if os.environ.get("CI") == "true":
            pytest.fail("there is no cloud-init, which CI installs")
        pytest.skip("there is no cloud-init on this machine")
    path = tmp_path / "user-data"
    path.write_text(user_data(purpose, BUNDLE, settings=SETTINGS), "utf-8")

    done = subprocess.run(
        [program, "schema", "--config-file", path], capture_output=True, check=False
    )

    assert done.returncode == 0, done.stderr.decode()
    assert b"Valid" in done.stdout


def test_every_file_arrives_as_it_was_meant() -> None:
    document = told(Purpose.WORKER, AWS_ENDPOINT_URL="http://10.0.0.1:5000")

    written = files(document)
    script = Path(str(first_boot.__file__))
    assert written["/etc/media-nommer/nommer.toml"] == SETTINGS
    assert written["/etc/media-nommer/first_boot.py"] == script.read_text("utf-8")
    assert written["/etc/media-nommer/environment"].splitlines() == [
        "AWS_ENDPOINT_URL=http://10.0.0.1:5000",
        "AWS_REGION=eu-central-1",
        "NOMMER_CONFIG=/etc/media-nommer/nommer.toml",
    ]
    assert document["runcmd"] == [["sh", "/etc/media-nommer/first_boot.sh"]]


def test_the_shell_understands_its_script(tmp_path: Path) -> None:
    for purpose in Purpose:
        script = tmp_path / purpose
        script.write_text(files(told(purpose))["/etc/media-nommer/first_boot.sh"])

        done = subprocess.run(["sh", "-n", script], capture_output=True, check=False)

        assert done.stderr == b""


class Stubs:
    """Programs on PATH that write down how they are called."""

    def __init__(self, folder: Path, *, python: int) -> None:
        self.folder = folder
        self._calls = folder / "calls"
        self._calls.touch()
        self._stub("python3.11", python)
        for name in ("systemctl", "shutdown", "mkdir", "ln", "truncate", "dpkg"):
            self._stub(name, 0)

    def run(self, purpose: Purpose) -> list[str]:
        script = self.folder / "script"
        script.write_text(files(told(purpose))["/etc/media-nommer/first_boot.sh"])
        where = {"PATH": str(self.folder)}
        subprocess.run(["/bin/sh", script], env=where, check=False, capture_output=True)
        return [line.split(" -c ")[0] for line in self._calls.read_text().splitlines()]

    def _stub(self, name: str, status: int) -> None:
        path = self.folder / name
        said = f'echo "{name} $*" >> "{self._calls}"'
        path.write_text(f"#!/bin/sh\n{said}\nexit {status}\n")
        path.chmod(0o755)


def test_a_worker_is_started_once_it_is_installed(tmp_path: Path) -> None:
    calls = Stubs(tmp_path, python=0).run(Purpose.WORKER)

    bundle = f"{BUNDLE.bucket} work/ {BUNDLE.sha256} eu-central-1"
    assert calls[0] == f"python3.11 /etc/media-nommer/first_boot.py {bundle}"
    assert calls[-2:] == [
        "systemctl daemon-reload",
        "systemctl start ec2nommerd.service",
    ]


@pytest.mark.parametrize("purpose", [Purpose.WORKER, Purpose.FEEDERD])
def test_a_machine_that_cannot_be_set_up_shuts_down(
    purpose: Purpose, tmp_path: Path
) -> None:
    calls = Stubs(tmp_path, python=1).run(purpose)

    assert calls[-1] == "shutdown -h now"
    assert not [call for call in calls if call.startswith("systemctl")]


def test_a_machine_for_an_image_stops_when_it_is_done_and_not_when_it_failed(
    tmp_path: Path,
) -> None:
    (tmp_path / "well").mkdir()
    (tmp_path / "badly").mkdir()

    well = Stubs(tmp_path / "well", python=0).run(Purpose.IMAGE)
    badly = Stubs(tmp_path / "badly", python=1).run(Purpose.IMAGE)

    assert well[-1] == "shutdown -h now"
    assert "shutdown -h now" not in badly


def unit(purpose: Purpose) -> configparser.SectionProxy:
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(files(told(purpose))[f"/etc/systemd/system/{purpose}.service"])
    return parser["Service"]


def test_a_workers_machine_goes_with_it_and_feederds_stays() -> None:
    worker, feederd = unit(Purpose.WORKER), unit(Purpose.FEEDERD)

    assert worker["ExecStart"] == "/opt/media-nommer/bin/ec2nommerd"
    assert worker["Restart"] == "no"
    assert worker["ExecStopPost"] == "+shutdown -h now"
    assert feederd["Restart"] == "always"
    assert "ExecStopPost" not in feederd


def test_daemons_are_not_root() -> None:
    assert unit(Purpose.WORKER)["DynamicUser"] == "yes"
    assert unit(Purpose.FEEDERD)["DynamicUser"] == "yes"


@pytest.mark.parametrize("purpose", [Purpose.WORKER, Purpose.FEEDERD])
def test_systemd_takes_the_unit(purpose: Purpose, tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("there is no systemd on this machine")
    text = files(told(purpose))[f"/etc/systemd/system/{purpose}.service"]
    path = tmp_path / f"{purpose}.service"
    path.write_text(text.replace(f"/opt/media-nommer/bin/{purpose}", "/bin/true"))

    done = subprocess.run(
        [program, "verify", "--man=no", path], capture_output=True, check=False
    )

    assert path.name not in done.stderr.decode()
