"""How many channels become fewer."""

from media_nommer.planning.sound import AudioPlan

_LAYOUT = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}
_LIMIT = 0.95


def mixing_filters(audio: AudioPlan) -> tuple[str, ...]:
    """Return the filters that make the planned channels, none where they are there.

    Centre and surround go into the sides 3 dB lower and the low effects are left out, as
    ITU-R BS.775 has it, unless the source itself says how to mix it. It is done in floating
    point, where FFmpeg does not make all of it softer for fear of peaks, and peaks are held
    down after it. One channel is the mean of two.
    """
    there, wanted = audio.source_channels, audio.channels
    filters: list[str] = []
    if there > 2 and wanted < there:
        layout = _LAYOUT[max(wanted, 2)]
        filters += ["aformat=sample_fmts=fltp", f"aformat=channel_layouts={layout}"]
        filters.append(f"alimiter=limit={_LIMIT}:level=0:latency=1")
    if wanted == 1 and there >= 2:
        filters.append("pan=mono|c0=0.5*c0+0.5*c1")
    if audio.loudness and not filters:
        filters.append(f"aformat=channel_layouts={_LAYOUT[wanted]}")
    return tuple(filters)
