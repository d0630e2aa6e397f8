"""Which formats we read, and the options that hold FFmpeg to them.

A format is here if a file of it holds all of its own bytes. Playlists, concatenation
scripts, numbered pictures, devices and network sessions are absent because they name other
things to read.
"""

from collections.abc import Sequence

ALLOWED_DEMUXERS: tuple[str, ...] = (
    # containers
    *("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "mpegts", "mpeg", "avi", "flv", "asf"),
    *("ogg", "mxf", "gxf", "nut", "rm", "wtv", "dv", "ivf", "live_flv", "mpegvideo"),
    # bare video
    *("h264", "hevc", "vvc", "obu", "av1", "m4v", "vc1", "dirac", "yuv4mpegpipe", "mjpeg"),
    # sound
    *("mp3", "aac", "ac3", "eac3", "ac4", "dts", "dtshd", "truehd", "mlp", "flac", "wav"),
    *("w64", "aiff", "caf", "au", "amr", "wv", "ape", "tta", "mpc", "mpc8", "tak", "dsf"),
    *("iff", "qcp", "voc", "loas", "oma"),
    # pictures
    *("jpeg_pipe", "png_pipe", "webp_pipe", "webp_anim", "gif", "gif_pipe", "apng"),
    *("bmp_pipe", "tiff_pipe", "jpegxl_pipe", "jpegxl_anim", "j2k_pipe", "dpx_pipe"),
    *("exr_pipe", "psd_pipe", "qoi_pipe", "ppm_pipe", "pgm_pipe", "pam_pipe", "hdr_pipe"),
)

MAX_STREAMS = 256
MAX_PIXELS = 16384 * 8192

#: Demuxers that planning may ask for by name, though a source may never be one.
OURS = frozenset({"concat", "lavfi", "srt", "webvtt", "ass"})


def guarded(args: Sequence[str]) -> tuple[str, ...]:
    """Return FFmpeg arguments with a fence put before every ``-i``.

    A demuxer of ours that the input's own options name (``-f concat``, ``-f lavfi``) is let
    through for that input alone.
    """
    out: list[str] = []
    begin = 0
    for place, word in enumerate(args):
        if word != "-i":
            continue
        own = args[begin:place]
        asked = {own[k + 1] for k, w in enumerate(own[:-1]) if w == "-f"} & OURS
        out += (*input_fence(sorted(asked)), *own, *args[place : place + 2])
        begin = place + 2
    return (*out, *args[begin:])


def input_fence(extra_demuxers: Sequence[str] = ()) -> tuple[str, ...]:
    """Return what, before ``-i``, keeps an input to local bytes and sane sizes."""
    return (
        *("-protocol_whitelist", "file,pipe,fd"),
        *("-format_whitelist", ",".join((*ALLOWED_DEMUXERS, *extra_demuxers))),
        *("-max_streams", str(MAX_STREAMS), "-max_pixels", str(MAX_PIXELS)),
    )
