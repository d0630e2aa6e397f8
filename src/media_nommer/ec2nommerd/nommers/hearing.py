"""Measuring how loud sounds are, and finding what makes them as loud as asked."""

from collections.abc import Sequence

import structlog

from media_nommer.core.errors import EncodeError
from media_nommer.ec2nommerd.nommers.fetching import Kit
from media_nommer.ec2nommerd.nommers.work import Work
from media_nommer.planning.ffmpeg import LEVELED, level_commands, measure_commands
from media_nommer.planning.inputs.reading import Source
from media_nommer.planning.plan import OutputPlan, single_files
from media_nommer.planning.sounds.leveling import Found, leveled, missed
from media_nommer.planning.sounds.loudness import Level, Measured, measured_in
from media_nommer.planning.sounds.sound import AudioPlan

log = structlog.get_logger(__name__)

#: What was measured, by the runs that did it: alike sounds are measured once.
_Known = dict[tuple[tuple[str, ...], ...], Measured]


def levels_found(
    kit: Kit, work: Work, plans: Sequence[OutputPlan], source: Source
) -> dict[str, Found]:
    """Return the level of each sound whose output is to have a certain loudness.

    They are by the sounds' keys; one that is silent has none.

    Raises:
        EncodeError: the encoder did not tell how loud a sound is.
    """
    measured = _measured(kit, work, plans, source)
    known: _Known = {}
    found: dict[str, Found] = {}
    for output in single_files(plans):
        for key, audio in output.sounds:
            if key in measured:
                sound = (output, audio)
                level = _level(kit, work, source, sound, measured[key], known)
                found |= {key: level} if level else {}
    (work.scratch / LEVELED).unlink(missing_ok=True)
    return found


def loudness_facts(plan: OutputPlan, found: dict[str, Found]) -> dict[str, object]:
    """Return what is told of the sounds of an output that do not come to what was asked."""
    sounds = [sound for part in single_files([plan]) for sound in part.sounds]
    warnings: list[str] = []
    for number, (key, audio) in enumerate(sounds, start=1):
        if key not in found or audio.loudness is None:
            continue
        if (sentence := missed(audio.loudness, found[key])) is not None:
            which = f"sound {number}" if len(sounds) > 1 else "its sound"
            warnings.append(f"{which}: {sentence}")
    return {"warnings": warnings} if warnings else {}


def _measured(
    kit: Kit, work: Work, plans: Sequence[OutputPlan], source: Source
) -> dict[str, Measured]:
    found: dict[str, Measured] = {}
    for command in measure_commands(plans, source=source, threads=kit.threads):
        found |= dict.fromkeys(command.sounds, _heard(kit, work, (command.argv,)))
    return found


def _level(
    kit: Kit,
    work: Work,
    source: Source,
    sound: tuple[OutputPlan, AudioPlan],
    measured: Measured,
    known: _Known,
) -> Found | None:
    """Return what makes a sound of an output as loud as asked, that is ``measured``."""
    output, audio = sound
    assert audio.loudness is not None

    def tried(level: Level) -> Measured:
        commands = level_commands(output, audio, level, source=source, threads=kit.threads)
        if commands not in known:
            known[commands] = _heard(kit, work, commands)
        return known[commands]

    found = leveled(audio.loudness, measured, audio.habits, tried)
    if found is not None and found.came is not None:
        gain, came = found.level.gain, found.came
        log.info("level_found", job=work.job.id, gain=gain, loudness=came.loudness)
    return found


def _heard(kit: Kit, work: Work, commands: Sequence[Sequence[str]]) -> Measured:
    """Return what the last of some runs says that it heard."""
    tail: Sequence[str] = ()
    for argv in commands:
        tail = work.encode(kit.encoder, argv).log_tail
    measured = measured_in(tail)
    if measured is None:
        raise EncodeError("FFmpeg did not tell how loud the sound is", log_tail=tail)
    return measured
