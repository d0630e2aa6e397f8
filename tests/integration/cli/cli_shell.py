"""`nommer` as people run it: a process of its own, in a folder and a home of its own."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from media_nommer.adapters.ffmpeg.binary import find_ffmpeg

PROGRAMS = Path(sys.executable).parent
PATIENCE = 250.0


@dataclass(frozen=True, slots=True)
class Said:
    """What a command printed, and its exit status."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The JSON on standard output."""
        return json.loads(self.out)


@dataclass(slots=True)
class Shell:
    """Runs `nommer` in ``folder``, with a home and a place for temporary files."""

    folder: Path
    home: Path
    temporary: Path
    env: dict[str, str] = field(default_factory=dict)

    def run(
        self,
        *words: str | Path,
        env: dict[str, str] | None = None,
        program: str = "nommer",
    ) -> Said:
        """Run a command to its end."""
        done = subprocess.run(
            [PROGRAMS / program, *words],
            cwd=self.folder,
            env=self.env | (env or {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    def start(self, *words: str | Path, **kwargs: Any) -> subprocess.Popen[str]:
        """Start a command, its output in pipes."""
        return subprocess.Popen(
            [PROGRAMS / "nommer", *words],
            cwd=self.folder,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **kwargs,
        )

    def left_behind(self) -> list[str]:
        """Return every file and folder below the home and the place for temporary files."""
        return sorted(
            str(path.relative_to(self.home.parent))
            for root in (self.home, self.temporary)
            for path in root.rglob("*")
        )


def make_shell(root: Path) -> Shell:
    """Return a shell whose every folder is new."""
    places = [root / name for name in ("here", "home", "temporary")]
    for place in places:
        place.mkdir()
    here, home, temporary = places
    env = {name: text for name, text in os.environ.items() if not _speaks_to_us(name)}
    env |= {"HOME": str(home), "TMPDIR": str(temporary), "COLUMNS": "100"}
    return Shell(here, home, temporary, env)


def make_film(path: Path, *, seconds: int, size: str = "160x120") -> Path:
    """Make a film of ``seconds``."""
    argv = [
        *("-v", "error", "-nostdin", "-y"),
        *("-f", "lavfi", "-i", f"testsrc=s={size}:d={seconds}:r=25"),
        *("-f", "lavfi", "-i", f"sine=d={seconds}:r=48000"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"),
        *("-c:a", "aac", "-shortest"),
    ]
    subprocess.run([find_ffmpeg(), *argv, str(path)], check=True, timeout=PATIENCE)
    return path


def _speaks_to_us(variable: str) -> bool:
    return variable.startswith(("NOMMER_", "XDG_")) or variable == "NO_COLOR"
