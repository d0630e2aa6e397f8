"""The script of the first boot, as a process: bundle, credentials and all."""

import ensurepip
import json
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from threading import Thread

import boto3
import pytest

from media_nommer.adapters.aws.setup import Architecture, bundle_of

PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]}"


class Metadata(BaseHTTPRequestHandler):
    """Gives a role's credentials to whoever has a token, as version 2 does."""

    def do_PUT(self) -> None:
        self._answer("token-1")

    def do_GET(self) -> None:
        if self.headers.get("X-aws-ec2-metadata-token") != "token-1":
            self.send_error(401)
        elif self.path.endswith("/security-credentials/"):
            self._answer("a-role")
        else:
            said = {"AccessKeyId": "AK", "SecretAccessKey": "SK", "Token": "T"}
            self._answer(json.dumps(said))

    def _answer(self, text: str) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def metadata() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Metadata)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


class Machine:
    """A root folder, where the script believes to be at home."""

    def __init__(self, root: Path, metadata: str, amazon: str) -> None:
        self.place = root / "opt"
        self.environment = root / "environment"
        self.environment.write_text(f"AWS_ENDPOINT_URL={amazon}\n")
        self._metadata = metadata
        source = files("media_nommer.adapters.aws.setup").joinpath("first_boot.py")
        text = source.read_text("utf-8")
        for before, after in (
            ("/opt/media-nommer", str(self.place)),
            ("/etc/media-nommer/environment", str(self.environment)),
            ("PATIENCE = 180.0", "PATIENCE = 2.0"),
        ):
            assert before in text
            text = text.replace(before, after)
        self._script = root / "first_boot.py"
        self._script.write_text(text)

    def boot(self, bucket: str, sha256: str) -> "subprocess.CompletedProcess[str]":
        said = {
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": self._metadata,
            "PATH": "/usr/bin:/bin",
        }
        return subprocess.run(
            [sys.executable, self._script, bucket, "work/", sha256, "us-east-1"],
            env=said,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


@pytest.fixture
def machine(tmp_path: Path, metadata: str, aws: str) -> Machine:
    return Machine(tmp_path, metadata, aws)


def wheel(folder: Path, name: str, requires: str = "") -> Path:
    """Make a wheel of one empty module."""
    path = folder / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    extra = f"Provides-Extra: aws\nRequires-Dist: {requires}; extra == 'aws'\n"
    papers = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{extra * bool(requires)}"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.py", "")
        archive.writestr(f"{info}/METADATA", papers)
        archive.writestr(
            f"{info}/WHEEL",
            "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        archive.writestr(f"{info}/RECORD", "")
    return path


def upload(bucket: str, folder: Path, python: str = PYTHON) -> str:
    """Put the wheels of a folder on S3 as `up` does; return the bundle's digest."""
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=bucket)
    bundle = bundle_of(folder.iterdir(), architecture=Architecture.X86, python=python)
    for each in bundle.wheels:
        key = f"work/bundle/wheels/{each.sha256}/{each.name}"
        s3.put_object(Bucket=bucket, Key=key, Body=each.path.read_bytes())
    key = f"work/bundle/{bundle.sha256}/bundle.json"
    s3.put_object(Bucket=bucket, Key=key, Body=bundle.document)
    return bundle.sha256


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    """Media-nommer and what it needs, in small; and the pip of this machine, whole."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    wheel(folder, "media_nommer", "boto3")
    wheel(folder, "boto3")
    shutil.copy(pip_of_this_machine(), folder)
    return folder


def pip_of_this_machine() -> Path:
    """Return the wheel that new environments get, by no network."""
    kept = sysconfig.get_config_var("WHEEL_PKG_DIR")  # where a distribution has them
    places = (Path(ensurepip.__file__).parent / "_bundled", *([Path(kept)] if kept else []))
    return next(wheel for place in places for wheel in place.glob("pip-*.whl"))


def test_a_machine_installs_the_bundle_and_nothing_else_and_that_once(
    machine: Machine, wheels: Path
) -> None:
    sha256 = upload("boot-once", wheels)

    first = machine.boot("boot-once", sha256)
    second = machine.boot("boot-once", sha256)

    installed = {path.name for path in machine.place.glob("lib/*/site-packages/*.py")}
    assert first.returncode == 0, first.stderr
    assert installed == {"media_nommer.py", "boto3.py"}
    assert "installed 3 wheels" in first.stdout
    assert "has the bundle already" in second.stdout


def test_a_wheel_that_is_not_the_one_of_the_bundle_is_not_installed(
    machine: Machine, wheels: Path
) -> None:
    sha256 = upload("boot-bad", wheels)
    s3 = boto3.client("s3")
    listed = s3.list_objects_v2(Bucket="boot-bad", Prefix="work/bundle/wheels")["Contents"]
    (key,) = (each["Key"] for each in listed if "boto3" in each["Key"])
    s3.put_object(Bucket="boot-bad", Key=key, Body=b"something else")

    done = machine.boot("boot-bad", sha256)

    assert done.returncode == 1
    assert "media-nommer: failed:" in done.stderr
    assert "is not what the bundle says" in done.stderr
    assert not machine.place.exists()


def test_a_list_that_is_not_the_one_that_was_named_is_not_believed(
    machine: Machine, wheels: Path
) -> None:
    sha256 = upload("boot-list", wheels)
    boto3.client("s3").put_object(
        Bucket="boot-list", Key=f"work/bundle/{sha256}/bundle.json", Body=b"{}"
    )

    done = machine.boot("boot-list", sha256)

    assert done.returncode == 1
    assert "is not what the bundle says" in done.stderr


def test_an_image_with_another_python_is_told_of(machine: Machine, wheels: Path) -> None:
    sha256 = upload("boot-python", wheels, python="3.4")

    done = machine.boot("boot-python", sha256)

    assert f"the image has Python {PYTHON}, the bundle is for 3.4" in done.stderr


def test_a_bundle_that_lacks_something_is_not_installed(
    machine: Machine, wheels: Path
) -> None:
    (wheels / "boto3-1.0-py3-none-any.whl").unlink()
    sha256 = upload("boot-lacks", wheels)

    done = machine.boot("boot-lacks", sha256)

    assert done.returncode == 1
    assert "boto3" in done.stderr
    assert not (machine.place / "bundle.json").exists()
