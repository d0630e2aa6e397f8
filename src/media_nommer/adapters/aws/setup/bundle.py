"""The bundle: all wheels that a machine installs, known by what is in it."""

import base64
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Wheel:
    """One wheel, and the digest by which it is known."""

    path: Path
    size: int
    sha256: str

    @property
    def name(self) -> str:
        """Return its file's name, by which pip knows what it is for."""
        return self.path.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """The wheels for machines of one architecture, with one version of Python."""

    architecture: str
    python: str
    wheels: tuple[Wheel, ...]

    @property
    def document(self) -> bytes:
        """Return the list of the wheels, the same for the same ones."""
        wheels = [
            {"name": wheel.name, "sha256": wheel.sha256, "size": wheel.size}
            for wheel in sorted(self.wheels, key=lambda wheel: wheel.name)
        ]
        said = {
            "format": _FORMAT,
            "architecture": self.architecture,
            "python": self.python,
            "wheels": wheels,
        }
        return json.dumps(said, indent=1, sort_keys=True).encode() + b"\n"

    @property
    def sha256(self) -> str:
        """Return the digest of the list, which is the bundle's name."""
        return hashlib.sha256(self.document).hexdigest()

    @property
    def size(self) -> int:
        """Return how many bytes the wheels are."""
        return sum(wheel.size for wheel in self.wheels)


def bundle_of(wheels: Iterable[Path], *, architecture: str, python: str) -> Bundle:
    """Return the bundle of some wheels."""
    return Bundle(
        architecture=architecture, python=python, wheels=tuple(map(_wheel, wheels))
    )


def sum_for_s3(sha256: str) -> str:
    """Return a digest as S3 wants it, to check what arrives by it."""
    return base64.b64encode(bytes.fromhex(sha256)).decode()


def _wheel(path: Path) -> Wheel:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Wheel(path=path, size=path.stat().st_size, sha256=digest)
