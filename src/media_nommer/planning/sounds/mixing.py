"""How many channels become fewer, or more."""

from media_nommer.planning.sounds.sound import AudioPlan

#: What FFmpeg calls so many channels.
LAYOUT = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}
_LIMIT = 0.95


def mixing_filters(audio: AudioPlan) -> tuple[str, ...]:
    """Return the filters that make the planned channels, none where they are there.

    Centre and surround go into the sides 3 dB lower and the low effects are left out, as
    ITU-R BS.775 has it, unless the source itself says how to mix it. It is done in floating
    point, where FFmpeg does not make all of it softer for fear of peaks, and peaks are held
    down after it. One channel is the mean of two.
    """
    filters = fewer(audio.source_channels, audio.channels)
    if audio.loudness and not filters:
        return (f"aformat=channel_layouts={LAYOUT[audio.channels]}",)
    return filters


def fewer(there: int, wanted: int) -> tuple[str, ...]:
    """Return the filters from so many channels to fewer, none where there are not more."""
    filters: list[str] = []
    if there > 2 and wanted < there:
        layout = LAYOUT[max(wanted, 2)]
        filters += ["aformat=sample_fmts=fltp", f"aformat=channel_layouts={layout}"]
        filters.append(f"alimiter=limit={_LIMIT}:level=0:latency=1")
    if wanted == 1 and there >= 2:
        filters.append("pan=mono|c0=0.5*c0+0.5*c1")
    return tuple(filters)


def more(there: int, wanted: int) -> tuple[str, ...]:
    """Return the filters from so many channels to more, none where there are not fewer.

    One channel comes from both sides as loud as it is, or from the centre where there is
    one; nothing is made up for the others.
    """
    if there >= wanted:
        return ()
    layout = LAYOUT[wanted]
    if there == 1:
        places = "FL=c0|FR=c0" if wanted == 2 else "FC=c0"
        return (f"pan={layout}|{places}",)
    if there == 2:
        return (f"pan={layout}|FL=c0|FR=c1",)
    return ("aformat=sample_fmts=fltp", f"aformat=channel_layouts={layout}")
