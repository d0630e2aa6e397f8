"""A PostgreSQL server of our own for one measurement, where the machine has one."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from benchmarks.running import CommandFailed
from benchmarks.serving import wait_for

_PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))


@contextmanager
def postgres() -> Iterator[Callable[[int], Iterator[str]] | None]:
    """Run a server that commits to the disk, and give what makes URLs of new databases.

    None where there is no server to be had.
    """
    found = shutil.which("postgres")
    if not _PROGRAMS and not found:
        yield None
        return
    binaries = (_PROGRAMS[-1] if _PROGRAMS else Path(str(found)).resolve()).parent
    with tempfile.TemporaryDirectory(prefix="nommer-bench-pg-", dir="/tmp") as name:
        folder = Path(name)
        as_whom = _unprivileged(folder)
        data = folder / "data"
        _run(as_whom, binaries / "initdb", "-D", data, "-U", "nommer", "--auth=trust")
        server = subprocess.Popen(
            [
                *(str(binaries / "postgres"), "-D", str(data), "-k", name),
                *("-c", "listen_addresses=", "-c", "max_connections=200"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **as_whom,
        )
        try:
            ready = [str(binaries / "pg_isready"), "-q", "-h", name]
            wait_for(lambda: _ready(server, ready), 30, "PostgreSQL to answer")

            def databases(count: int) -> Iterator[str]:
                for number in range(count):
                    _run(
                        as_whom,
                        *(binaries / "createdb", "-h", name, "-U", "nommer"),
                        f"bench{number}",
                    )
                    yield f"postgresql://nommer@/bench{number}?host={quote(name, safe='')}"

            yield databases
        finally:
            server.terminate()
            try:
                server.wait(30)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _ready(server: "subprocess.Popen[bytes]", ask: list[str]) -> bool:
    if server.poll() is not None:
        raise CommandFailed("PostgreSQL did not start")
    return subprocess.run(ask, check=False).returncode == 0


def _run(as_whom: dict[str, Any], *command: object) -> None:
    argv = [str(word) for word in command]
    subprocess.run(argv, check=True, capture_output=True, timeout=60, **as_whom)


def _unprivileged(folder: Path) -> dict[str, Any]:
    """Return what starts a process as somebody whom PostgreSQL lets run it."""
    if os.geteuid() != 0:
        return {}
    try:
        user = pwd.getpwnam("postgres")
    except KeyError:
        user = pwd.getpwnam("nobody")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": [], "cwd": folder}
