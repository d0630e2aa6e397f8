"""(g) A large object up to S3 and down: our storage, ``aws s3 cp``, and plain boto3."""

import filecmp
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import boto3

from benchmarks import films, tables
from benchmarks.amazon import CHECKOUT, amazon
from benchmarks.figures import Sample, Spread
from benchmarks.running import CommandFailed, Running

BUCKET = "bench-objects"
MOST_MEGABYTES = 200
_PATIENCE = 600
_LOOK_EVERY = 0.02
_MEGABYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Client:
    """A way of moving an object; ``{path}`` and ``{url}`` are filled in."""

    name: str
    up: Sequence[str]
    down: Sequence[str]

    def argv(self, *, up: bool, path: Path, url: str) -> list[str]:
        """Return the command line."""
        words = self.up if up else self.down
        return [word.format(path=path, url=url) for word in words]


@dataclass(frozen=True, slots=True)
class Moved:
    """What one transfer took of its client; ``peak`` is megabytes, of a million bytes."""

    sample: Sample
    peak: float


def measure(folder: Path, runs: int, *, quick: bool) -> None:
    """Print a table for each way."""
    megabytes = 64 if quick else 1024
    film = folder / "film"
    _make(film, megabytes)
    clients = [*_OURS, *_aws_command()]
    ups: dict[str, list[Moved]] = {client.name: [] for client in clients}
    downs: dict[str, list[Moved]] = {client.name: [] for client in clients}
    with amazon():
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        for number in range(runs):
            turn = number % len(clients)
            for client in (*clients[turn:], *clients[:turn]):
                key = f"{number}-{clients.index(client)}"
                url, back = f"s3://{BUCKET}/{key}", folder / "back"
                ups[client.name].append(_run(client.argv(up=True, path=film, url=url)))
                downs[client.name].append(_run(client.argv(up=False, path=back, url=url)))
                s3.delete_object(Bucket=BUCKET, Key=key)  # moto keeps objects in memory
                _check(film, back)
    for way, found in (("up", ups), ("down", downs)):
        _show(f"(g) {megabytes} MiB {way}, moto's S3, {runs} runs, interleaved", found)
    tables.note(
        "start-up included; CPU and memory are the client's; ours makes a SHA-256 of what "
        "it puts, unless it is told, and compares a CRC-32 of the whole object it fetches"
    )
    tables.note(f"aim: no more CPU than the others, peak below {MOST_MEGABYTES} MB")
    tables.note("wall is how fast moto is, a Python process; it says little of Amazon's S3")


def _show(title: str, found: Mapping[str, Sequence[Moved]]) -> None:
    bare = [moved.sample for moved in found[_BOTO3]]
    rows = []
    for name, moved in found.items():
        samples = [each.sample for each in moved]
        peaks = Spread.of([each.peak for each in moved])
        others = None if name == _BOTO3 else bare
        rows.append([*tables.pair_row(name, samples, others), f"{peaks.most:.0f}"])
    tables.show(title, (*tables.PAIR_COLUMNS, "peak MB"), rows)


def _run(argv: Sequence[str]) -> Moved:
    """Run a transfer, looking at its peak of memory until it ends."""
    peak = 0
    with Running(argv, cwd=CHECKOUT) as running:
        while running.alive:
            peak = max(peak, _peak(running.pid))
            time.sleep(_LOOK_EVERY)
        return Moved(running.wait(_PATIENCE), peak / 1e6)


def _peak(pid: int) -> int:
    """Return the most bytes that a process has held so far, 0 where it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    found = [line.split()[1] for line in lines if line.startswith("VmHWM:")]
    return int(found[0]) * 1024 if found else 0


def _make(path: Path, megabytes: int) -> None:
    with path.open("wb") as file:
        for _ in range(megabytes):
            file.write(os.urandom(_MEGABYTE))


def _check(sent: Path, back: Path) -> None:
    """Check that what came back is what was sent, and remove it.

    Raises:
        CommandFailed: it is something else.
    """
    same = filecmp.cmp(sent, back, shallow=False)
    back.unlink()
    if not same:
        raise CommandFailed("an object came back as another")


def _aws_command() -> list[Client]:
    """Return Amazon's own command, put into the cache; none where it cannot be had."""
    place = films.cache() / "awscli"
    program = place / "bin" / "aws"
    try:
        if not program.exists():
            print(f"installing awscli into {place}", flush=True)
            subprocess.run([sys.executable, "-m", "venv", place], check=True, timeout=120)
            pip = [str(place / "bin" / "pip"), "install", "--quiet", "awscli"]
            subprocess.run(pip, check=True, timeout=_PATIENCE)
    except (OSError, subprocess.SubprocessError) as error:
        tables.note(f"(g) leaves out the aws command, which cannot be installed: {error}")
        return []
    copy = (str(program), "s3", "cp", "--only-show-errors")
    up, down = (*copy, "{path}", "{url}"), (*copy, "{url}", "{path}")
    return [Client("aws s3 cp", up, down)]


def _ours(name: str, kind: str) -> Client:
    words = (sys.executable, "-m", "benchmarks.moving", kind)
    return Client(
        name, (*words, "up", "{path}", "{url}"), (*words, "down", "{path}", "{url}")
    )


_BOTO3 = "boto3, upload_file and download_file"
_OURS = [
    _ours(_BOTO3, "boto3"),
    _ours("S3Storage", "storage"),
    _ours("S3Storage, told the SHA-256", "storage-told"),
]
