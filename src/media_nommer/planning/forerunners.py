"""The runs that come before the one that makes outputs, as they can be shown beforehand.

What depends on something that only such a run finds out has a name in its place.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self

from typing_extensions import override

from media_nommer.core.media import Media
from media_nommer.core.recipes import Recipe
from media_nommer.planning.ffmpeg import (
    encode_command,
    first_pass_command,
    level_commands,
    measure_commands,
    peaks_commands,
    texts_command,
)
from media_nommer.planning.inputs.bars import bars_commands, wants_bars, watched_of
from media_nommer.planning.inputs.joining import Film
from media_nommer.planning.pace import runs_by_pace
from media_nommer.planning.plan import OutputPlan, single_files
from media_nommer.planning.sounds.leveling import MOST_TRIALS as MOST_LEVELS
from media_nommer.planning.sounds.loudness import Levels, OpenLevel
from media_nommer.planning.vmaf import MOST_TRIALS as MOST_QUALITIES
from media_nommer.planning.vmaf import sample_command, score_command, trial_command


@dataclass(frozen=True, slots=True, kw_only=True)
class Forerunner:
    """One run that comes before; ``purpose`` says what for.

    It comes ``least`` to ``most`` times. ``finds`` is the name of what it finds out, which
    stands for it in later commands, and in its own where it tries something. One that
    leaves files, which others read, has none.
    """

    key: str
    purpose: str
    argv: tuple[str, ...]
    finds: str | None = None
    least: int = 1
    most: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a task runs: the ``argv`` that makes its outputs, and what comes before."""

    before: tuple[Forerunner, ...]
    argv: tuple[str, ...]


class OpenNumber(float):
    """A number that nobody knows yet: its name stands in commands that are shown."""

    name: str

    def __new__(cls, name: str) -> Self:
        """Return the number of a name."""
        number = super().__new__(cls, "nan")
        number.name = name
        return number

    @override
    def __format__(self, spec: str) -> str:
        return self.name


def shown_runs(
    film: Film, recipe: Recipe, outputs: Sequence[OutputPlan], *, threads: int
) -> Shown:
    """Return the runs that make ``outputs``, in their order.

    Black bars are taken to be none: what is left without them decides all sizes.
    """
    *slower, rest = runs_by_pace(outputs)
    shown = _shown(film, rest, threads)
    first = [run for each in slower for run in _apart(_shown(film, each, threads))]
    bars = looks_for_bars(film, recipe, [output.index for output in outputs])
    return replace(shown, before=(*bars, *first, *shown.before))


def _apart(shown: Shown) -> Iterator[Forerunner]:
    """Yield the runs that make outputs which are slower than their source."""
    for run in shown.before:
        yield replace(run, key=f"slower-{run.key}")
    yield Forerunner(key="slower", purpose="make what is slower", argv=shown.argv)


def _shown(film: Film, outputs: Sequence[OutputPlan], threads: int) -> Shown:
    made = [_with_open_quality(output) for output in outputs]
    argv = encode_command(
        film.media, made, source=film.source, threads=threads, levels=_open_levels(made)
    ).argv
    before = (
        *_texts(film, outputs),
        *_peaks(film, outputs, threads),
        *_qualities(film.media, film, outputs, threads),
        *_levels(film, outputs, threads),
        *_first_pass(film, outputs, threads),
    )
    return Shown(before=before, argv=argv)


def looks_for_bars(film: Film, recipe: Recipe, made: Sequence[int]) -> Iterator[Forerunner]:
    """Yield the runs that look for black bars, for outputs by their places."""
    if not wants_bars(recipe, made):
        return
    for number, command in enumerate(bars_commands(watched_of(film, recipe))):
        yield Forerunner(
            key=f"bars-{number}",
            purpose="look for black bars; later commands are as if there were none",
            argv=command.argv,
        )


def _texts(film: Film, outputs: Sequence[OutputPlan]) -> Iterator[Forerunner]:
    command = texts_command(outputs, source=film.source, texts=film.texts)
    if command is not None:
        yield Forerunner(key="text", purpose="fetch text", argv=command.argv)


def _peaks(film: Film, outputs: Sequence[OutputPlan], threads: int) -> Iterator[Forerunner]:
    runs = peaks_commands(outputs, source=film.source, threads=threads)
    for number, command in enumerate(runs):
        purpose = "measure the peaks of a waveform"
        yield Forerunner(key=f"peaks-{number}", purpose=purpose, argv=command.argv)


def _qualities(
    media: Media, film: Film, outputs: Sequence[OutputPlan], threads: int
) -> Iterator[Forerunner]:
    for output in outputs:
        if output.video is None or output.video.target_vmaf is None:
            continue
        index, wanted = output.index, f"VMAF {output.video.target_vmaf:g}"
        name = _quality_name(output)
        tried = OpenNumber(name)
        kept = sample_command(media, output, source=film.source, threads=threads)
        yield Forerunner(key=f"samples-{index}", purpose="keep samples", argv=kept)
        yield Forerunner(
            key=f"trial-{index}",
            purpose=f"try a quality for {wanted}",
            argv=trial_command(output, tried, threads=threads),
            finds=name,
            most=MOST_QUALITIES,
        )
        yield Forerunner(
            key=f"score-{index}",
            purpose="score what was tried",
            argv=score_command(threads=threads),
            finds=name,
            most=MOST_QUALITIES,
        )


def _levels(
    film: Film, outputs: Sequence[OutputPlan], threads: int
) -> Iterator[Forerunner]:
    measured = measure_commands(outputs, source=film.source, threads=threads)
    for number, command in enumerate(measured):
        names = ", ".join(map(_level_name, command.sounds))
        yield Forerunner(
            key=f"loudness-{number}",
            purpose="measure how loud a sound is",
            argv=command.argv,
            finds=names,
        )
    for output in single_files(outputs):
        for key, audio in output.sounds:
            if audio.loudness is None:
                continue
            level = OpenLevel(_level_name(key))
            runs = level_commands(output, audio, level, source=film.source, threads=threads)
            for place, argv in enumerate(runs):
                last = place == len(runs) - 1
                yield Forerunner(
                    key=f"level-{key}-{place}",
                    purpose=f"{'measure' if last else 'encode'} a sound at a level tried",
                    argv=argv,
                    finds=level.name,
                    least=int(audio.habits.unsure),
                    most=MOST_LEVELS,
                )


def _first_pass(
    film: Film, outputs: Sequence[OutputPlan], threads: int
) -> Iterator[Forerunner]:
    argv = first_pass_command(film.media, outputs, source=film.source, threads=threads)
    if argv:
        purpose = "the first of two passes: learn where bits are needed"
        yield Forerunner(key="pass-1", purpose=purpose, argv=argv)


def _with_open_quality(output: OutputPlan) -> OutputPlan:
    if output.video is None or output.video.target_vmaf is None:
        return output
    quality = OpenNumber(_quality_name(output))
    return replace(output, video=replace(output.video, quality=quality))


def _open_levels(outputs: Sequence[OutputPlan]) -> Levels:
    return {
        key: OpenLevel(_level_name(key))
        for output in single_files(outputs)
        for key, audio in output.sounds
        if audio.loudness is not None
    }


def _quality_name(output: OutputPlan) -> str:
    return f"<quality-{output.index}>"


def _level_name(key: str) -> str:
    return f"<level-{key}>"
