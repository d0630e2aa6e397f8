"""Whether an output came to what its recipe expects."""

from collections.abc import Iterator, Mapping

from media_nommer.core.errors import ExpectationMissed
from media_nommer.core.recipes.base import Expect


def check_expected(expect: Expect | None, size: int, facts: Mapping[str, object]) -> None:
    """Do nothing if an output of ``size`` bytes, with these facts, is what is expected.

    Raises:
        ExpectationMissed: naming all that is missed.
    """
    missed = list(_missed(expect, size, facts)) if expect else []
    if missed:
        raise ExpectationMissed("; ".join(missed))


def _missed(expect: Expect, size: int, facts: Mapping[str, object]) -> Iterator[str]:
    if expect.max_size is not None and size > expect.max_size:
        yield f"it has {size} bytes, and at most {expect.max_size} are expected"
    yield from _duration_missed(expect, facts.get("duration"))
    if expect.min_vmaf is not None:
        yield from _vmaf_missed(expect.min_vmaf, facts.get("measured"))


def _duration_missed(expect: Expect, duration: object) -> Iterator[str]:
    least, most = expect.min_duration, expect.max_duration
    if least is None and most is None:
        return
    if not isinstance(duration, int | float):
        yield "nothing tells how long it lasts"
        return
    if least is not None and duration < least:
        yield f"it lasts {duration:.3f} s, and at least {least:g} are expected"
    if most is not None and duration > most:
        yield f"it lasts {duration:.3f} s, and at most {most:g} are expected"


def _vmaf_missed(least: float, measured: object) -> Iterator[str]:
    vmaf = measured.get("vmaf") if isinstance(measured, Mapping) else None
    if not isinstance(vmaf, int | float):
        yield "nothing tells its VMAF"
    elif vmaf < least:
        yield f"it comes to a VMAF of {vmaf:.2f}, and at least {least:g} is expected"
