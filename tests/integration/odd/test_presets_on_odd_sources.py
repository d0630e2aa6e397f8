"""Every shipped preset on sources as odd as people send them.

Each pair ends in what was asked for, looked at by PyAV alone, or in the one error that says
why it cannot be. CI has a sample in which each source and each preset occurs; a soak
(``NOMMER_SOAK``) has all pairs.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from benchmarks.films import big_buck_bunny
from tests.odd_seeing import Seen, see
from tests.odd_sources import SOURCES, Odd, make
from tests.odd_wishes import WISHES, check, refusal

from media_nommer.adapters.objects.paths import file_url
from media_nommer.conf.settings import Settings
from media_nommer.core.jobs import Job, JobState
from media_nommer.core.presets import load_presets
from media_nommer.embedded import Embedded, embedded

SOAK = os.environ.get("NOMMER_SOAK")

#: What CI makes: each source and each preset at least once, the dear ones of what is small.
SAMPLE: dict[str, Sequence[str]] = {
    "vfr": ("web", "preview"),
    "turned": ("web-small", "thumbnails"),
    "anamorphic": ("web", "poster"),
    "interlaced": ("web",),
    "odd-size": ("web-small",),
    "hdr10": ("web", "web-4k"),
    "eight-mono": ("archive", "podcast"),
    "surround": ("web", "opus"),
    "silent": ("webm", "mp3"),
    "song": ("audio", "web"),
    "two-pictures": ("web-small",),
    "negative-start": ("hls-dash",),
    "edit-list": ("web", "hls"),
    "one-frame": ("web", "social-square", "social-vertical", "sprite"),
    "fast": ("preview",),
    "recorded": ("web", "thumbnails"),
    "described": ("web", "av1"),
    "latin-1": ("mp3",),
    "name": ("web",),
}


def _bunny(path: Path) -> None:
    path.symlink_to(big_buck_bunny(10))


#: A film of a good size, which a soak has beside the odd ones.
BUNNY = Odd(
    "bunny.mp4",
    _bunny,
    shown=(1280, 720),
    channels=2,
    rate=24,
    seconds=10.04,
    flashes=False,
    pattern=False,
)
ALL = {**SOURCES, "bunny": BUNNY} if SOAK else SOURCES


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sources")


@contextmanager
def nommer(folder: Path) -> Iterator[Embedded]:
    """Set up what `nommer encode` works with, in this process."""
    with embedded(Settings(), folder) as here:
        yield here


def test_the_sample_has_every_source_and_every_preset() -> None:
    assert set(SAMPLE) == set(SOURCES)
    assert {preset for some in SAMPLE.values() for preset in some} == set(load_presets())
    assert set(WISHES) == set(load_presets())


@pytest.mark.timeout(1800 if SOAK else 300)
@pytest.mark.parametrize("name", ALL)
def test_presets_make_what_they_promise_of_a_source_or_say_why_not(
    name: str, sources: Path, tmp_path: Path
) -> None:
    odd = ALL[name]
    source = make(sources, odd)
    presets = tuple(load_presets()) if SOAK else SAMPLE[name]

    with nommer(tmp_path) as here:
        for preset in presets:
            here.submit(_job(source, tmp_path / preset, preset))
        jobs = here.run()

    seen = see(source)
    wrong = {
        preset: list(_wrong(preset, name, job, tmp_path / preset, seen))
        for preset, job in zip(presets, jobs, strict=True)
    }
    assert {preset: said for preset, said in wrong.items() if said} == {}


def _job(source: Path, folder: Path, preset: str) -> object:
    return {
        "inputs": [{"url": file_url(source)}],
        "destination": file_url(folder),
        "outputs": [{"preset": preset}],
    }


def _wrong(preset: str, name: str, job: Job, folder: Path, seen: Seen) -> Iterator[str]:
    odd = ALL[name]
    code = refusal(preset, odd)
    failure = job.failure
    if code is not None:
        if failure is None or failure.code != code or not failure.advice:
            yield f"ended in {failure}, not in {code}"
        return
    if job.state is not JobState.FINISHED:
        yield f"failed: {failure}"
        return
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    yield from check(preset, odd, seen, files)
