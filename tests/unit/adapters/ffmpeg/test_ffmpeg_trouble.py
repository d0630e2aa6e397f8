"""What an encoder leaves behind becomes an error that says what to do."""

import signal
from datetime import timedelta

import pytest

from media_nommer.adapters.ffmpeg.process import Exit, Limits
from media_nommer.adapters.ffmpeg.trouble import complaints, trouble
from media_nommer.core.errors import (
    CodecMissing,
    EncodeError,
    EncoderCrashed,
    EncoderLimit,
    NommerError,
    NoSpace,
    NotMedia,
    TruncatedMedia,
)

ALL_LIMITS = Limits(memory=1, cpu=timedelta(seconds=1), file_size=1)
CUT = (
    "[in#0 @ 0x55710c16b080] [error] moov atom not found",
    "[in#0 @ 0x55710c16ad00] [error] Error opening input: Invalid data found when reading",
)
FORBIDDEN = (
    "[in#0 @ 0x5572] [error] Format not on whitelist 'matroska'",
    "[in#0 @ 0x5572] [error] Error opening input: Invalid argument",
)


def ended(code: int, cpu: float = 0.0) -> Exit:
    return Exit(code=code, cpu_seconds=cpu, wall_seconds=1.0, peak_memory=0)


@pytest.mark.parametrize(
    ("code", "log", "limits", "kind"),
    [
        pytest.param(1, ("[error] bad option",), Limits(), EncodeError, id="refused"),
        pytest.param(1, (), Limits(), EncodeError, id="silent"),
        pytest.param(-11, (), ALL_LIMITS, EncoderCrashed, id="segfault"),
        pytest.param(-9, (), Limits(), EncoderCrashed, id="killed by the kernel"),
        pytest.param(-24, (), Limits(), EncoderLimit, id="SIGXCPU"),
        pytest.param(-25, (), Limits(), EncoderLimit, id="SIGXFSZ"),
        pytest.param(
            255,
            ("[info] Exiting normally, received signal 24.",),
            ALL_LIMITS,
            EncoderLimit,
            id="SIGXCPU that FFmpeg caught",
        ),
        pytest.param(
            228, ("[error] x: No space left on device",), ALL_LIMITS, NoSpace, id="full"
        ),
        pytest.param(
            1, ("[error] Cannot allocate memory",), ALL_LIMITS, EncoderLimit, id="limited"
        ),
        pytest.param(
            1, ("[error] Cannot allocate memory",), Limits(), EncoderCrashed, id="starved"
        ),
        pytest.param(
            1, ("[error] File too large",), ALL_LIMITS, EncoderLimit, id="file limit"
        ),
        pytest.param(
            8, ("[fatal] Unknown encoder 'x'",), ALL_LIMITS, CodecMissing, id="encoder"
        ),
        pytest.param(183, CUT, Limits(), TruncatedMedia, id="cut"),
        pytest.param(183, CUT[1:], Limits(), NotMedia, id="not media"),
        pytest.param(183, FORBIDDEN, Limits(), NotMedia, id="forbidden format"),
    ],
)
def test_each_end_has_its_error(
    code: int, log: tuple[str, ...], limits: Limits, kind: type[NommerError]
) -> None:
    error = trouble(ended(code), log, limits)

    assert type(error) is kind
    assert error.log_tail == log
    assert not error.message.endswith(".")


def test_a_kill_after_all_processor_time_was_used_is_a_limit() -> None:
    error = trouble(ended(-signal.SIGKILL, cpu=6.0), (), ALL_LIMITS)

    assert isinstance(error, EncoderLimit)


def test_the_message_quotes_complaints_once_and_without_addresses() -> None:
    log = (
        "[info] Stream #0:0 error-prone",
        "[AVFilterGraph @ 0x55ffd618de80] [error] No such filter: 'nofilter'",
        "[AVFilterGraph @ 0x55ffd618dfff] [error] No such filter: 'nofilter'",
        "[fatal] Error opening output files: Filter not found",
        "[vost#0:0/x @ 0x1] [enc:x @ 0x2] [error] Could not open encoder",
        "[error] Conversion failed!",
    )

    assert complaints(log) == [
        "No such filter: 'nofilter'",
        "Error opening output files: Filter not found",
        "Could not open encoder",
    ]
    assert "No such filter" in trouble(ended(8), log, Limits()).message
