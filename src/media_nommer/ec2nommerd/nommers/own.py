"""Outputs of own kinds: their nommers, led by the hand through an attempt."""

import json
import traceback
from collections.abc import Mapping
from pathlib import Path

import structlog
from typing_extensions import override

from media_nommer.core.errors import (
    NommerBroken,
    NommerError,
    NommerFailed,
    NommerMissing,
    OutputDamaged,
)
from media_nommer.core.media import Media
from media_nommer.core.ports.encoder import Encoder, Progress
from media_nommer.core.ports.probe import Probe
from media_nommer.core.recipes.own import OwnOutput, StrangeOutput
from media_nommer.core.recipes.own_nommers import Making, OutputNommer, own_nommer
from media_nommer.ec2nommerd.nommers.checking import looked_into
from media_nommer.ec2nommerd.nommers.work import Work
from media_nommer.planning.extras.extras import OwnPlan
from media_nommer.planning.ffmpeg import Produced, produced
from media_nommer.planning.plan import OutputPlan

log = structlog.get_logger(__name__)

_MOST_FACTS = 16_384  # bytes: they lie in the job's record, beside its other outputs'

Facts = dict[str, object]


def make_own(
    probe: Probe, encoder: Encoder, work: Work, plan: OutputPlan, media: Media, source: str
) -> tuple[tuple[Produced, ...], Facts]:
    """Have an output made by its nommer; return its files and facts.

    Raises:
        NommerMissing: nothing here makes outputs of its kind.
        NommerBroken: what does cannot be loaded.
        NommerFailed: it raised what it did not mean to, or told nonsense.
        EncodeError: it says that the output could not be made.
    """
    assert plan.extra is not None
    assert isinstance(plan.extra.plan, OwnPlan)
    output, made = plan.extra.plan.output, produced(plan)
    nommer = _nommer_of(output)
    making = WorkerMaking(probe, encoder, work, plan, media, source)
    facts = _facts(_made(nommer, output, making, work), output.kind)
    for one in made:
        _check_left(work.scratch / one.path, output.kind)
    work.report(1.0)
    return made, {**facts, "files": len(made)}


class WorkerMaking(Making):
    """An output in the making, in an attempt's scratch folder."""

    def __init__(
        self,
        probe: Probe,
        encoder: Encoder,
        work: Work,
        plan: OutputPlan,
        media: Media,
        source: str,
    ) -> None:
        self._probe = probe
        self._encoder = encoder
        self._work = work
        self._plan = plan
        self._source = source
        self._spares = 0
        self.folder = work.scratch
        self.names = tuple(one.path for one in produced(plan))
        self.media = media

    @property
    @override
    def source(self) -> tuple[str, ...]:
        cut = self._plan.cut
        start = ("-ss", f"{cut.start:.6f}") if cut and cut.start > 0 else ()
        until = ("-to", f"{cut.end:.6f}") if cut and cut.end is not None else ()
        return (*start, *until, "-i", self._source)

    @override
    def spare(self, ending: str) -> str:
        self._spares += 1
        return f"own-{self._plan.index}-spare-{self._spares}.{ending.removeprefix('.')}"

    @override
    def ffmpeg(self, *args: str) -> tuple[str, ...]:
        length = self.media.duration

        def on_progress(progress: Progress) -> None:
            if length and progress.out_time is not None:
                self._work.report(min(progress.out_time / length, 1.0), progress.speed)

        return self._work.encode(self._encoder, args, on_progress=on_progress).log_tail

    @override
    def inspect(self, name: str) -> Media:
        return looked_into(self._probe, self._work, self.folder / name, count=False)[0]

    @override
    def report(self, fraction: float) -> None:
        self._work.check()
        self._work.report(max(0.0, fraction))


def _nommer_of(output: OwnOutput) -> OutputNommer[OwnOutput]:
    nommer = own_nommer(output.kind)
    if nommer is None:
        raise NommerMissing(
            f"this worker has no nommer for outputs of the kind {output.kind!r}"
        )
    if isinstance(output, StrangeOutput):
        raise NommerBroken(
            f"the nommer of the kind {output.kind!r} on this worker does not take the "
            "output as the recipe has it: it may be of another version than beside feederd"
        )
    return nommer


def _made(
    nommer: OutputNommer[OwnOutput], output: OwnOutput, making: Making, work: Work
) -> Mapping[str, object]:
    work.check()
    try:
        return nommer.make(output, making)
    except NommerError:
        raise
    except Exception as error:
        _note(work.log)
        raise NommerFailed(
            f"the nommer of the kind {output.kind!r} failed: {error!r}",
            log_tail=traceback.format_exc().splitlines()[-20:],
        ) from error


def _note(path: Path) -> None:
    """Add the error that is being handled to the attempt's log."""
    with path.open("a", encoding="utf-8", errors="backslashreplace") as kept:
        kept.write(traceback.format_exc())


def _facts(told: object, kind: str) -> Facts:
    try:
        text = json.dumps(told, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise NommerFailed(
            f"the nommer of the kind {kind!r} gave facts that are not JSON: {error}"
        ) from error
    facts = json.loads(text)
    if not isinstance(facts, dict) or len(text) > _MOST_FACTS:
        raise NommerFailed(
            f"the nommer of the kind {kind!r} gave no facts by name of at most "
            f"{_MOST_FACTS} bytes"
        )
    return facts


def _check_left(path: Path, kind: str) -> None:
    if not path.is_file() or path.is_symlink() or not path.stat().st_size:
        raise OutputDamaged(f"the nommer of the kind {kind!r} left no {path.name}")
