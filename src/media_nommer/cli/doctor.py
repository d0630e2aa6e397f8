"""`nommer doctor`: is everything there that is needed, and what to do where it is not."""

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import typer

from media_nommer.cli.inputs import path_of
from media_nommer.cli.reporting import EXIT_FAILED, styled
from media_nommer.cli.words import bytes_text, count_text
from media_nommer.conf.settings import Settings
from media_nommer.conf.values import redacted
from media_nommer.core.errors import (
    AccessDenied,
    EncoderMissing,
    InvalidSetting,
    LeaseLost,
    NommerError,
    NoSpace,
    Overtaken,
)
from media_nommer.core.findings import Finding
from media_nommer.core.jobs import JobState, Priority
from media_nommer.core.nodes import Duty
from media_nommer.core.ports.store import JobFilter
from media_nommer.core.recipes.own_nommers import own_kinds, own_nommer
from media_nommer.core.tasks import TaskId
from media_nommer.core.workflow.engine import Engine

#: FFmpeg's encoders behind the codecs of recipes.
NEEDED_ENCODERS = ("libx264", "libvpx-vp9", "libsvtav1", "aac", "libopus", "libmp3lame")
#: Less room than this is called a problem: a film and its outputs have to fit.
LEAST_ROOM = 2 * 10**9

_DUTY = "doctor"
_NO_TASK = TaskId("doctor.0.none")
_A_MOMENT = timedelta(seconds=5)


def examine(settings: Settings, *, as_json: bool) -> int:
    """Print what every check finds as it comes; return 1 if there is a problem, else 0."""
    return 0 if show_findings(_findings(settings), as_json=as_json) else EXIT_FAILED


def show_findings(findings: Iterable[Finding], *, as_json: bool) -> bool:
    """Print findings as they come, or as JSON in the end; return whether all is well."""
    shown: list[Finding] = []
    for finding in findings:
        shown.append(finding)
        if not as_json:
            _print(finding)
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in shown]))
    return all(finding.ok for finding in shown)


def _findings(settings: Settings) -> Iterator[Finding]:
    from media_nommer.adapters.ffmpeg.binary import find_ffmpeg

    yield _checked("ffmpeg", lambda: _ffmpeg(settings))
    yield _checked("encoders", lambda: _encoders(find_ffmpeg(settings.ffmpeg)))
    yield _checked("landlock", lambda: _landlock(settings))
    yield _checked("data_dir", lambda: _folder(settings.data_dir))
    yield _checked("scratch_dir", lambda: _folder(settings.scratch_dir))
    yield from nommer_findings()
    yield _checked("sealing key", lambda: _sealing_key(settings))
    yield from _engine_findings(settings)


def _landlock(settings: Settings) -> str:
    """Say what keeps FFmpeg to the files of its job, besides lists of formats."""
    from media_nommer.adapters.ffmpeg.binary import find_ffmpeg
    from media_nommer.adapters.ffmpeg.encoder import runs_confined
    from media_nommer.adapters.ffmpeg.landlock import landlock_version
    from media_nommer.adapters.ffmpeg.launcher import Launcher

    version = landlock_version()
    if not version:
        return "none: this kernel has no Landlock, or keeps it from us"
    ffmpeg = find_ffmpeg(settings.ffmpeg)
    with (
        tempfile.TemporaryDirectory(prefix="nommer-doctor-") as scratch,
        Launcher(Path(scratch)) as launcher,
    ):
        if not runs_confined(launcher, ffmpeg):
            return f"none: {ffmpeg} does not run by Landlock's rules"
    return f"Landlock {version}: FFmpeg sees the files of its job alone"


def nommer_findings() -> Iterator[Finding]:
    """Yield for each own nommer that is registered here whether it can be loaded."""
    for kind, entry in own_kinds().items():
        yield _checked("nommer", partial(_own_nommer, kind, entry.value))


def _own_nommer(kind: str, value: str) -> str:
    own_nommer(kind)
    return f"{kind}, {value}"


def _sealing_key(settings: Settings) -> str:
    """Read the key that seals secrets; what it is nobody is told.

    Raises:
        InvalidSetting: it is none, or one that the workers of the settings cannot read.
    """
    from media_nommer import wiring

    keys = wiring.open_sealing_keys(settings)
    if keys is None:
        return "none: feederd refuses recipes with keys"
    if settings.fleet == "ec2" and wiring.parameter_of(settings) is None:
        raise InvalidSetting(
            f"machines of EC2 have no way to {settings.sealing_key}: feederd refuses "
            "recipes with keys",
            advice='Set `sealing_key` to a parameter, such as "ssm:///nommer/sealing-key", '
            "and run `nommer aws up`.",
        )
    version = keys.newest().id
    return f"{settings.sealing_key}{version and f', version {version}'}"


def _engine_findings(settings: Settings) -> Iterator[Finding]:
    """Yield what was found about the store, the queue and the work area."""
    from media_nommer import wiring

    new = _not_made_yet(settings.store)
    if new is not None:
        yield Finding(what="store", ok=True, detail=f"{new}, made at the first start")
        yield _checked("work", lambda: _work_folder(settings))
        return
    try:
        with wiring.open_engine(settings) as engine:
            yield _checked("store", lambda: _store(settings, engine))
            yield _checked("queue", lambda: check_queue(engine))
            yield _checked("work", lambda: _work_area(settings, engine))
    except NommerError as error:
        yield Finding(what="store", ok=False, detail=error.message, advice=error.advice)


def _not_made_yet(store: str) -> Path | None:
    """Return the database file that is still to be made, None for any other store."""
    path = Path(urlsplit(store).path.removeprefix("/"))
    return path if urlsplit(store).scheme == "sqlite" and not path.exists() else None


def _store(settings: Settings, engine: Engine) -> str:
    unfinished = engine.store.list_jobs(
        JobFilter(states=(JobState.PENDING, JobState.RUNNING))
    ).jobs
    _write_to(engine)
    return f"{redacted(settings.store)}, {count_text(len(unfinished), 'job')} under way"


def _write_to(engine: Engine) -> None:
    """Write to the store what means nothing to anybody: a duty that nobody has."""
    kept = engine.store.get_duty(_DUTY)
    duty = Duty(
        name=_DUTY, holder="", lease=timedelta(), changed_at=engine.clock.now(), revision=0
    )
    with suppress(Overtaken):  # another doctor was quicker, so it can be written
        engine.store.swap_duty(replace(duty, revision=kept.revision if kept else 0))


def check_queue(engine: Engine) -> str:
    """Put, take and remove a message of a task that is nowhere.

    Should a worker get it first, it removes it; what we get of others goes back at once.
    """
    engine.queue.put(_NO_TASK, priority=Priority.HIGH)
    delivery = engine.queue.take(_A_MOMENT, wait=_A_MOMENT)
    if delivery is not None:
        with suppress(LeaseLost):
            if delivery.task_id == _NO_TASK:
                engine.queue.done(delivery)
            else:
                engine.queue.keep(delivery, timedelta())
    return count_text(engine.queue.depth(), "message")


def _work_area(settings: Settings, engine: Engine) -> str:
    if path_of(settings.work) is not None:
        return _work_folder(settings)
    url = f"{engine.work_url}/doctor-{uuid4().hex}"
    with tempfile.NamedTemporaryFile() as sample:
        engine.storage.put(Path(sample.name), url)
        engine.storage.read(url)
        engine.storage.list(engine.work_url + "/doctor")
        engine.storage.delete(url)
    return redacted(settings.work)


def _work_folder(settings: Settings) -> str:
    folder = path_of(settings.work)
    return redacted(settings.work) if folder is None else _folder(folder)


def _checked(what: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(what=what, ok=True, detail=check())
    except NommerError as error:
        return Finding(what=what, ok=False, detail=error.message, advice=error.advice)
    except OSError as error:
        return Finding(what=what, ok=False, detail=f"{error.filename}: {error.strerror}")


def _ffmpeg(settings: Settings) -> str:
    from media_nommer.adapters.ffmpeg.binary import find_ffmpeg, inspect_ffmpeg

    build = inspect_ffmpeg(find_ffmpeg(settings.ffmpeg))
    return f"{build.version}, {build.path}"


def _encoders(ffmpeg: Path) -> str:
    from media_nommer.adapters.ffmpeg.binary import inspect_ffmpeg

    known = inspect_ffmpeg(ffmpeg).encoders
    missing = [name for name in NEEDED_ENCODERS if name not in known]
    if missing:
        raise EncoderMissing(
            f"FFmpeg has no {', '.join(missing)}",
            advice="Remove the setting `ffmpeg` to use the bundled one, which has them.",
        )
    return ", ".join(NEEDED_ENCODERS)


def _folder(folder: Path) -> str:
    """Check that a folder, or the one that it would be made in, has room and is ours."""
    standing = next(p for p in (folder, *folder.parents) if p.exists())
    if not standing.is_dir():
        raise AccessDenied(f"{standing} is not a folder", advice="Set another one.")
    if not os.access(standing, os.W_OK | os.X_OK):
        raise AccessDenied(f"{standing} may not be written to")
    free = shutil.disk_usage(standing).free
    if free < LEAST_ROOM:
        raise NoSpace(f"only {bytes_text(free)} are free in {folder}")
    return f"{folder}, {bytes_text(free)} free"


def _print(finding: Finding) -> None:
    if finding.ok:
        mark = styled("ok", "32", sys.stdout) + "     "
    else:
        mark = styled("problem", "1;31", sys.stdout)
    typer.echo(f"{mark}  {finding.what:<15} {finding.detail}")
    if finding.advice:
        typer.echo(f"{'':<25} {finding.advice}")
