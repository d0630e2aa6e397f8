"""(j) From the last byte of an encode to the last object, over a slow line to S3."""

import itertools
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import boto3

from benchmarks import tables
from benchmarks.amazon import CHECKOUT, amazon
from benchmarks.figures import Spread
from benchmarks.running import CommandFailed
from benchmarks.slow_line import Line, slow_line

BUCKET = "bench-sending"
_MEGABYTE = 1_000_000
_RATE = 12.5 * _MEGABYTE  # bytes a second: 100 Mbit/s


@dataclass(frozen=True, slots=True)
class Encode:
    """What a writer makes in the place of an encoder; sizes are megabytes."""

    name: str
    moves: bool
    sizes: Sequence[int]


_LADDER = Encode("four renditions, as of HLS and DASH", True, (45, 22, 11, 5))
_STREAM = Encode("one MPEG-TS file", False, (75,))
_LONG = Encode("one MP4 of a longer film", True, (300,))


@dataclass(frozen=True, slots=True)
class Sent:
    """Seconds and megabytes after the last byte, and megabytes held at most."""

    seconds: float
    left: float
    peak: float


def measure(folder: Path, runs: int, *, quick: bool) -> None:
    """Print a table: all sent in the end, and sent ahead."""
    encodes = (_LADDER, _STREAM) if quick else (_LADDER, _STREAM, _LONG)
    length = 15 if quick else 60
    rows = []
    with amazon() as services:
        s3 = boto3.resource("s3").create_bucket(Bucket=BUCKET)
        with slow_line(services.environment["AWS_ENDPOINT_URL"], _RATE) as (near, line):
            for encode, way in itertools.product(encodes, ("end", "ahead")):
                found = []
                for _ in range(runs):
                    found.append(_run(encode, way, length, folder, near, line))
                    s3.objects.all().delete()  # moto keeps them in memory
                rows.append(_row(encode, way, found))
    title = f"(j) sent to moto's S3 at 100 Mbit/s, written in {length} s, {runs} runs"
    columns = ("", "s after the last byte", "least-most", "MB after it", "peak MB")
    tables.show(title, columns, rows)
    tables.note("a writer stands for the encoder; peak is of the process that sends")


def _row(encode: Encode, way: str, found: Sequence[Sent]) -> list[str]:
    said = "sent ahead" if way == "ahead" else "sent in the end"
    left = Spread.of([each.left for each in found]).median
    return [
        f"{encode.name}, {sum(encode.sizes)} MB, {said}",
        *tables.spread_cells([each.seconds for each in found], 1),
        f"{left:.0f}",
        f"{max(each.peak for each in found):.0f}",
    ]


def _run(
    encode: Encode, way: str, length: int, folder: Path, endpoint: str, line: Line
) -> Sent:
    words = [sys.executable, "-m", "benchmarks.writing", way, str(length), str(folder)]
    words += [f"s3://{BUCKET}/work", "moves" if encode.moves else "stays"]
    words += [str(size * _MEGABYTE) for size in encode.sizes]
    environment = {**os.environ, "AWS_ENDPOINT_URL": endpoint}
    with subprocess.Popen(
        words, cwd=CHECKOUT, env=environment, stdout=subprocess.PIPE, text=True
    ) as writing:
        assert writing.stdout is not None, "it is a pipe"
        written = writing.stdout.readline()
        before = line.carried
        told = writing.stdout.read().split()
    if writing.returncode or not written:
        raise CommandFailed(f"{' '.join(words)}: exit status {writing.returncode}")
    left = (line.carried - before) / _MEGABYTE
    return Sent(float(told[0]), left, int(told[1]) / _MEGABYTE)
