"""FFmpeg's command lines, as data."""

from media_nommer.planning.ffmpeg.commands import (
    EncodeCommand,
    MeasureCommand,
    Produced,
    produced,
)
from media_nommer.planning.ffmpeg.encoding import encode_command, first_pass_command
from media_nommer.planning.ffmpeg.sounds import (
    LEVELED,
    level_commands,
    measure_commands,
    peaks_commands,
)
from media_nommer.planning.ffmpeg.texts import texts_command

__all__ = [
    "LEVELED",
    "EncodeCommand",
    "MeasureCommand",
    "Produced",
    "encode_command",
    "first_pass_command",
    "level_commands",
    "measure_commands",
    "peaks_commands",
    "produced",
    "texts_command",
]
