"""A shell for each test, and one film for all of them."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cli_shell import Shell, make_film, make_shell


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return make_shell(tmp_path)


@pytest.fixture
def started(shell: Shell) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts commands; those that still run at the end of the test are killed."""
    running: list[subprocess.Popen[str]] = []

    def start(*words: str | Path) -> subprocess.Popen[str]:
        running.append(shell.start(*words))
        return running[-1]

    yield start
    for process in running:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One second of picture and sound."""
    return make_film(tmp_path_factory.mktemp("films") / "film.mkv", seconds=1)


@pytest.fixture(scope="session")
def long_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film that takes half a minute to encode."""
    path = tmp_path_factory.mktemp("long") / "long.mkv"
    return make_film(path, seconds=60, size="1280x720")


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with no room left on it, where one can be mounted."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    try:
        mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        pytest.skip("a tiny file system cannot be mounted here")
    try:
        (disk / "full").write_bytes(b"x" * 60_000)
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)
