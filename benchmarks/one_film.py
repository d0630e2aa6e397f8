"""(a) A film through ``nommer encode``, against the very same FFmpeg command run bare."""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

from benchmarks import films, tables
from benchmarks.commands import command_of
from benchmarks.figures import Sample
from benchmarks.running import run
from benchmarks.serving import clean_environment, program

AIM = "aim: wall 1.03, CPU 1.02, start-up included"
_PATIENCE = 900


def measure(folder: Path, runs: int, *, quick: bool) -> None:
    """Print the table."""
    seconds = 10 if quick else 60
    film = films.big_buck_bunny(seconds)
    ours, bare = folder / "ours", folder / "bare"
    ours.mkdir()
    bare.mkdir()
    command = command_of(_encode_argv(film), ours)
    (bare / "source").symlink_to(film)
    through: list[Sample] = []
    alone: list[Sample] = []
    for number in range(runs):
        # Who goes first alternates: the second of a pair finds the machine warmer.
        turns: list[Callable[[], None]] = [
            lambda: through.append(_encode(film, ours)),
            lambda: alone.append(run(command, cwd=bare, timeout=_PATIENCE)),
        ]
        for turn in turns if number % 2 == 0 else reversed(turns):
            turn()
    tables.show(
        f"(a) first {seconds} s of Big Buck Bunny to `web`, {runs} runs, interleaved",
        tables.PAIR_COLUMNS,
        [
            tables.pair_row("bare ffmpeg", alone),
            tables.pair_row("nommer encode", through, alone),
        ],
    )
    tables.note(AIM)
    tables.note(tables.pairs_text("nommer encode / bare", through, alone))
    extra = [a.cpu - b.cpu for a, b in zip(through, alone, strict=True)]
    tables.note(f"CPU seconds on top: {' '.join(f'{each:+.2f}' for each in extra)}")
    same = _digest(next((ours / "out").iterdir())) == _digest(bare / command[-1])
    tables.note(f"the two outputs are {'the same, byte for byte' if same else 'NOT ALIKE'}")


def _encode(film: Path, folder: Path) -> Sample:
    shutil.rmtree(folder / "out", ignore_errors=True)
    return run(_encode_argv(film), cwd=folder, env=clean_environment(), timeout=_PATIENCE)


def _encode_argv(film: Path) -> list[str]:
    return [program("nommer"), "encode", str(film), "-o", "out", "--preset", "web"]


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
