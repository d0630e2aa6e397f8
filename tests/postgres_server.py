"""A PostgreSQL server of our own for a test session, where the machine has one."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))


def missing(what: str) -> None:
    """Skip a test whose part is not there; on CI that is a failure."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what}, and CI must have it")
    pytest.skip(what)


@contextmanager
def server() -> Iterator[Path]:
    """Run a server on a socket in a temporary folder, and give that folder."""
    found = shutil.which("postgres")
    if not PROGRAMS and not found:
        missing("there is no PostgreSQL on this machine")
    binaries = (PROGRAMS[-1] if PROGRAMS else Path(str(found)).resolve()).parent
    with tempfile.TemporaryDirectory(prefix="pg-", dir="/tmp") as name:
        folder = Path(name)
        unprivileged = _unprivileged(folder)
        data = folder / "data"
        subprocess.run(
            [
                *(str(binaries / "initdb"), "--pgdata", str(data), "--username=nommer"),
                *("--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"),
            ],
            check=True,
            capture_output=True,
            **unprivileged,
        )
        settings = ("listen_addresses=", "fsync=off", "max_connections=200")
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [
                    *(str(binaries / "postgres"), "-D", str(data), "-k", name),
                    *(word for setting in settings for word in ("-c", setting)),
                ],
                stdout=subprocess.DEVNULL,
                stderr=log,
                **unprivileged,
            )
        try:
            _wait_for(process, binaries, folder)
            yield folder
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(120)


def url_of(folder: Path, schema: str = "public") -> str:
    """Return the URL of a schema of the server's one database."""
    host, options = quote(str(folder), safe=""), quote(f"-csearch_path={schema}")
    return f"postgresql://nommer@/postgres?host={host}&options={options}"


def _unprivileged(folder: Path) -> dict[str, object]:
    """Return what starts a process as somebody whom PostgreSQL lets run it."""
    if os.geteuid() != 0:
        return {}
    try:
        user = pwd.getpwnam("postgres")
    except KeyError:
        user = pwd.getpwnam("nobody")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": [], "cwd": folder}


def _wait_for(process: "subprocess.Popen[bytes]", binaries: Path, folder: Path) -> None:
    until = time.monotonic() + 120
    ready = [str(binaries / "pg_isready"), "-q", "-h", str(folder)]
    while subprocess.run(ready, check=False).returncode != 0:
        if process.poll() is not None or time.monotonic() > until:
            pytest.fail(f"PostgreSQL did not start: {(folder / 'log').read_text()}")
        time.sleep(0.05)
