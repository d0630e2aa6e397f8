"""Azurite, Microsoft's own stand-in for Azure's storage, fetched from npm at first use."""

import base64
import fcntl
import hmac
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

import httpx2

from tests.ports import held_port
from tests.postgres_server import missing

_HERE = Path(__file__).parent / "azurite"
_PROGRAM = _HERE / "node_modules" / "azurite" / "dist" / "src" / "blob" / "main.js"
ACCOUNT = "devstoreaccount1"
#: The key that every Azurite has: public, and good for nothing else.
KEY = (
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/"
    "K1SZFPTOtr/KBHBeksoGMGw=="
)
_VERSION = "2023-11-03"


@contextmanager
def azurite() -> Iterator[str]:
    """Run one of our own that keeps all in memory, and give its URL."""
    node = shutil.which("node")
    if node is None:
        missing("there is no Node.js on this machine")
    _fetch()
    with tempfile.TemporaryDirectory(prefix="azurite-") as folder, held_port() as port:
        server = subprocess.Popen(
            [
                *(str(node), str(_PROGRAM), "--inMemoryPersistence", "--silent"),
                *("--disableTelemetry", "--skipApiVersionCheck"),
                *("--blobHost", "127.0.0.1", "--blobPort", str(port)),
            ],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait_for(server, port)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(120)


def make_container(server: str, name: str) -> None:
    """Make a container: obstore makes none, and Azurite wants it signed."""
    now = format_datetime(datetime.now(UTC), usegmt=True)
    signed = (
        *("PUT", *[""] * 11, f"x-ms-date:{now}", f"x-ms-version:{_VERSION}"),
        *(f"/{ACCOUNT}/{ACCOUNT}/{name}", "restype:container"),
    )
    digest = hmac.digest(base64.b64decode(KEY), "\n".join(signed).encode(), "sha256")
    answer = httpx2.put(
        f"{server}/{ACCOUNT}/{name}?restype=container",
        headers={
            "x-ms-date": now,
            "x-ms-version": _VERSION,
            "Authorization": f"SharedKey {ACCOUNT}:{base64.b64encode(digest).decode()}",
        },
    )
    assert answer.status_code == 201, answer.text


def _fetch() -> None:
    with (_HERE / "package.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _PROGRAM.is_file():
            return
        npm = shutil.which("npm")
        if npm is None:
            missing("there is no npm on this machine")
        done = subprocess.run(
            [str(npm), "install", "--no-package-lock", "--no-audit", "--no-fund"],
            cwd=_HERE,
            capture_output=True,
            text=True,
            check=False,
            timeout=900,
        )
        assert done.returncode == 0, done.stderr[-2000:]


def _wait_for(server: "subprocess.Popen[bytes]", port: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        assert server.poll() is None, "Azurite did not start"
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("Azurite did not answer")
