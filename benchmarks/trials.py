"""(k) What it costs to find the quality for a VMAF, against the encode that it is for."""

import json
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import films, tables
from benchmarks.commands import encoders
from benchmarks.figures import Spread
from benchmarks.running import CommandFailed, Running
from benchmarks.serving import clean_environment, program

_RECIPE = {"outputs": [{"video": {"codec": "h264", "speed": "medium", "target_vmaf": 90}}]}
_AIMS = {60: 1.0, 596: 0.3}
_PATIENCE = 7200
_LOOK_EVERY = 0.02


@dataclass(frozen=True, slots=True)
class Search:
    """CPU seconds of all that came before the encode, and of the encode and after it."""

    before: float
    encode: float

    @property
    def share(self) -> float:
        """What the search took, of what the encode took."""
        return self.before / self.encode


def measure(folder: Path, runs: int, *, quick: bool) -> None:
    """Print the table; the whole film is encoded once."""
    (folder / "recipe.json").write_text(json.dumps(_RECIPE))
    minute, whole = films.big_buck_bunny(60), films.whole_film()
    found = {60: [_search(minute, folder) for _ in range(runs)]}
    if not quick:
        found[596] = [_search(whole, folder)]
    tables.show(
        f"(k) Big Buck Bunny at `medium`, target_vmaf 90, {runs} runs of its first minute",
        ("seconds of film", "search CPU s", "encode CPU s", "share", "least-most", "aim"),
        [_row(seconds, searches) for seconds, searches in found.items()],
    )
    tables.note("the search: inspection, samples, trials and their scoring, start-up")


def _row(seconds: int, found: Sequence[Search]) -> list[str]:
    return [
        str(seconds),
        f"{Spread.of([each.before for each in found]).median:.1f}",
        f"{Spread.of([each.encode for each in found]).median:.1f}",
        *tables.spread_cells([each.share for each in found], 3),
        f"{_AIMS[seconds]}",
    ]


def _search(film: Path, folder: Path) -> Search:
    """Encode a film; the last FFmpeg that is started is the one that makes the output."""
    shutil.rmtree(folder / "out", ignore_errors=True)
    argv = [program("nommer"), "encode", str(film), "--recipe", "recipe.json", "-o", "out"]
    seen: set[int] = set()
    before = 0.0
    with Running(argv, cwd=folder, env=clean_environment()) as running:
        while running.alive:
            used = running.meter.read()
            if started := encoders(running).keys() - seen:
                seen |= started
                before = used
            time.sleep(_LOOK_EVERY)
        whole = running.wait(_PATIENCE)
    if len(seen) < 3:
        raise CommandFailed(f"expected samples, trials and an encode, saw {len(seen)} runs")
    return Search(before, whole.cpu - before)
