"""Every input of every command stands behind a fence."""

from media_nommer.adapters.ffmpeg.formats import ALLOWED_DEMUXERS, guarded, input_fence


def test_each_input_has_its_own_fence_before_its_own_options() -> None:
    args = (
        "-ss",
        "5",
        "-i",
        "a.mp4",
        "-f",
        "matroska",
        "-i",
        "b.mkv",
        "-c",
        "copy",
        "o.mp4",
    )

    assert guarded(args) == (
        *(*input_fence(), "-ss", "5", "-i", "a.mp4"),
        *(*input_fence(), "-f", "matroska", "-i", "b.mkv", "-c", "copy", "o.mp4"),
    )


def test_a_demuxer_of_ours_is_let_through_for_its_own_input_only() -> None:
    out = guarded(("-f", "concat", "-i", "list", "-i", "a.mp4"))

    first, second = [out[k + 1] for k, w in enumerate(out) if w == "-format_whitelist"]
    assert "concat" in first.split(",")
    assert "concat" not in second.split(",")


def test_a_format_that_an_output_names_opens_no_input() -> None:
    out = guarded(("-i", "a.mp4", "-f", "lavfi", "out"))

    assert "lavfi" not in out[out.index("-format_whitelist") + 1].split(",")


def test_nothing_that_names_other_files_is_allowed() -> None:
    flat = set(",".join(ALLOWED_DEMUXERS).split(","))

    assert not flat & {
        *("hls", "dash", "concat", "concatf", "image2", "image2pipe", "lavfi", "sdp"),
        *("rtsp", "rtp", "ffmetadata", "tty", "imf", "webm_dash_manifest", "sap", "alsa"),
    }
