"""An image whose ec2nommerd is started by twistd, as an operator may bake one."""

import shutil
import subprocess
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

from tests.pocket.films import PLACE

_STARTER = f"""\
#!{PLACE}/bin/python
import sys
from twisted.scripts.twistd import run
sys.argv[1:1] = ["-n", "--pidfile=", "ec2nommerd"]
run()
"""


def twisted_image(image: Path, to: Path) -> Path:
    """Return a copy of an image that has Twisted as well, and starts ec2nommerd by it."""
    subprocess.run(["cp", "-al", str(image), str(to)], check=True)
    (packages,) = to.glob("lib/python3*/site-packages")
    for part in _with_needs("twisted", set()):
        for file in part.files or ():
            if ".." not in file.parts and "__pycache__" not in file.parts:
                there = packages / file
                there.parent.mkdir(parents=True, exist_ok=True)
                if not there.exists():
                    shutil.copy(str(file.locate()), there)
    starter = to / "bin" / "ec2nommerd"
    starter.unlink()  # the image's own is the same file
    starter.write_text(_STARTER)
    starter.chmod(0o755)
    return to


def _with_needs(name: str, seen: set[str]) -> Iterator[Distribution]:
    """Yield what is installed under a name, and what it does not work without."""
    if name in seen:
        return
    seen.add(name)
    try:
        found = distribution(name)
    except PackageNotFoundError:  # another system needs it
        return
    yield found
    for need in map(Requirement, found.requires or ()):
        if need.marker is None or need.marker.evaluate({"extra": ""}):
            yield from _with_needs(need.name, seen)
