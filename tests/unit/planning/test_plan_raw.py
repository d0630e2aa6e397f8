"""FFmpeg's own options in a recipe stand behind all that was planned for an output."""

from planning_media import FILM, argv_of


def test_they_come_after_all_of_ours_and_in_their_order() -> None:
    options = [["refs", "4"], ["-aac_coder", "fast"], ["refs", "2"]]

    argv = argv_of(FILM, {"video": {}, "ffmpeg_options": options})

    assert argv[-8:-1] == ("mp4", "-refs", "4", "-aac_coder", "fast", "-refs", "2")


def test_each_output_has_its_own() -> None:
    one = {"name": "a.mp4", "video": {}, "ffmpeg_options": [["refs", "4"]]}

    argv = argv_of(FILM, one, {"name": "b.mp4", "video": {}})

    assert argv.count("-refs") == 1
    assert argv.index("-refs") < argv.index("out-0.mp4")


def test_parameters_of_an_encoder_are_added_to_ours() -> None:
    options = [["x265-params", "sao=0"]]

    argv = argv_of(FILM, {"video": {"codec": "hevc"}, "ffmpeg_options": options})

    assert argv.count("-x265-params") == 1
    assert argv[argv.index("-x265-params") + 1].endswith(":sao=0")
