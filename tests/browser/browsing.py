"""A real browser, the players that people use, and a site that serves both and a film."""

import fcntl
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.http_server import Site, serving
from tests.postgres_server import missing

HERE = Path(__file__).parent
LIBRARIES = {
    "hls": "hls.js/dist/hls.min.js",
    "dash": "dashjs/dist/modern/umd/dash.all.min.js",
    "shaka": "shaka-player/dist/shaka-player.compiled.js",
}
_FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--autoplay-policy=no-user-gesture-required"),
)


def players() -> Path:
    """Return the folder of the players' packages, fetched from npm at first use."""
    folder = HERE / "node_modules"
    with (HERE / "package-lock.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not all((folder / path).is_file() for path in LIBRARIES.values()):
            npm = shutil.which("npm")
            if npm is None:
                missing("there is no npm on this machine")
            done = subprocess.run(
                [str(npm), "ci"],
                cwd=HERE,
                capture_output=True,
                text=True,
                check=False,
                timeout=280,
            )
            assert done.returncode == 0, done.stderr[-2000:]
    return folder


@contextmanager
def browser() -> Iterator[Browser]:
    """Run a browser of our own, without a window."""
    program = shutil.which("chromium")
    if program is None:
        missing("there is no chromium on this machine")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=program, headless=True, args=list(_FLAGS)
        )
        try:
            yield opened
        finally:
            opened.close()


@contextmanager
def site(folder: Path) -> Iterator[Site]:
    """Serve what is in ``folder``, the page of players, and their libraries."""
    packages = players()
    with serving() as site:
        for path in folder.rglob("*"):
            if path.is_file():
                site.plant(str(path.relative_to(folder)), path.read_bytes())
        for name in ("player.html", "player.js"):
            site.plant(name, (HERE / name).read_bytes())
        for path in LIBRARIES.values():
            site.plant(f"lib/{path}", (packages / path).read_bytes())
        yield site
