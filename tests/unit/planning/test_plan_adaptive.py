"""What adaptive outputs become: renditions, key frames, tasks, and command lines."""

from dataclasses import replace
from fractions import Fraction

import pytest
from planning_media import FILM, PICTURE, SILENT, SONG, SOUND, plans_of, with_picture

from media_nommer.core.errors import InvalidRecipe, NoStreams
from media_nommer.core.media import Media, SubtitleStream
from media_nommer.planning.ahead import sent_ahead
from media_nommer.planning.ffmpeg import (
    EncodeCommand,
    Produced,
    encode_command,
    measure_commands,
    texts_command,
)
from media_nommer.planning.forecasts import table_of_plan
from media_nommer.planning.room import expected_bytes
from media_nommer.planning.streaming.adaptive import AdaptivePlan
from media_nommer.planning.tasks import Policy, plan_tasks

SMALL = {
    "kind": "adaptive",
    "video": {"speed": "fast"},
    "ladder": [{"height": 360, "max_bitrate": 900}, {"height": 180, "bitrate": 250}],
}
NTSC = Fraction(24000, 1001)
FRENCH = replace(SOUND, index=2, language="fra", default=False, title='"Version" <fr>')


def plan(media: Media, output: object = SMALL, **of_input: object) -> AdaptivePlan:
    (found,) = plans_of(media, output, **of_input)
    assert found.adaptive is not None
    return found.adaptive


def command(media: Media, *outputs: object, **of_input: object) -> EncodeCommand:
    plans = plans_of(media, *outputs, **of_input)
    return encode_command(media, plans, source="source", threads=2)


def graph(made: EncodeCommand) -> str:
    return made.argv[made.argv.index("-filter_complex") + 1]


def test_one_decode_makes_all_renditions_and_the_sound_once() -> None:
    made = command(FILM, SMALL)

    told = ("-map_metadata:g", "-1", "-map_metadata:s", "-1", "-map_chapters", "-1")
    codec = ("-c:v", "libx264", "-preset", "fast")
    keys = ("-threads:v", "2", "-g", "48", "-keyint_min", "48", "-sc_threshold", "0")
    clock = ("-fps_mode:v", "vfr", "-enc_time_base:v", "1:24")
    fragmented = "+cmaf+delay_moov+global_sidx+skip_trailer"
    picture = ("-fflags", "+bitexact", "-movflags", f"{fragmented}+frag_keyframe")
    assert made.argv == (
        *("-threads", "2", "-i", "source"),
        *("-filter_complex_threads", "2", "-filter_complex"),
        "[0:0]scale=640:360:out_range=tv,setsar=1,format=yuv420p,split=2[v0v1][s1];"
        "[s1]scale=320:180:out_range=tv,setsar=1[v0v2]",
        *("-map", "[v0v1]", *told, *codec),
        *("-crf", "22", "-maxrate:v", "900k", "-bufsize:v", "1800k"),
        *("-profile:v", "high", *keys, *clock, *picture, "-f", "mp4", "out-0-v1.mp4"),
        *("-map", "[v0v2]", *told, *codec, "-b:v", "250k"),
        *("-profile:v", "high", *keys, *clock, *picture, "-f", "mp4", "out-0-v2.mp4"),
        *("-map", "0:1", *told, "-metadata:s:a:0", "language=eng"),
        *("-c:a", "aac", "-b:a", "128k", "-ac", "2", "-ar", "44100"),
        *("-filter:a", "aresample=async=1:first_pts=0"),
        *("-fflags", "+bitexact", "-movflags", fragmented, "-frag_duration", "400000"),
        *("-f", "mp4", "out-0-a1.mp4"),
    )
    assert made.produces == (
        Produced(0, "out-0-v1.mp4", "", "v1"),
        Produced(0, "out-0-v2.mp4", "", "v2"),
        Produced(0, "out-0-a1.mp4", "", "a1"),
    )


def test_files_and_pictures_come_from_the_same_decode() -> None:
    made = command(
        FILM,
        {"name": "film.mp4", "video": {"height": 360}},
        SMALL,
        {"kind": "thumbnails", "count": 1},
    )

    assert graph(made).startswith("[0:0]split=2[s0][p2];[s0]scale=640:360")
    assert "[v0][v1v1]" in graph(made)
    assert made.argv.count("-i") == 1


def test_the_automatic_ladder_stops_at_the_box_and_at_the_source() -> None:
    sizes = [
        [(r.video.width, r.video.height) for r in plan(FILM, said).pictures if r.video]
        for said in (
            {"kind": "adaptive"},
            {"kind": "adaptive", "video": {"height": 540}},
            {"preset": "hls-dash"},
        )
    ]

    assert sizes == [
        [(1280, 720), (960, 540), (640, 360), (426, 240)],
        [(960, 540), (640, 360), (426, 240)],
        [(1280, 720), (960, 540), (640, 360), (426, 240)],
    ]


def test_a_listed_rung_beyond_the_source_is_left_out_where_a_smaller_one_has_it_all() -> (
    None
):
    ladder = [{"height": height} for height in (1080, 720, 360)]

    pictures = plan(FILM, {"kind": "adaptive", "ladder": ladder}).pictures

    assert [rendition.label for rendition in pictures] == ["720p", "360p"]
    assert [r.video.max_bitrate for r in pictures if r.video] == [1650, 600]


def test_two_rungs_of_one_box_stand_side_by_side() -> None:
    ladder = [{"height": 360, "bitrate": 400}, {"height": 360, "bitrate": 800}]

    pictures = plan(FILM, {"kind": "adaptive", "ladder": ladder}).pictures

    assert [(r.key, r.video.bitrate) for r in pictures if r.video] == [
        ("v1", 800),
        ("v2", 400),
    ]


def test_a_group_of_pictures_is_whole_frames_and_a_segment_whole_groups() -> None:
    ntsc = with_picture(
        frame_rate=NTSC, average_rate=NTSC, frames=14_301, duration=float(14_301 / NTSC)
    )

    found = plan(ntsc)

    assert found.gop == pytest.approx(48 * 1001 / 24000)
    assert found.segment == pytest.approx(144 * 1001 / 24000)


def test_key_frames_are_asked_for_by_time_where_the_rate_varies() -> None:
    varying = with_picture(frame_rate=None, average_rate=None, frames=None)

    argv = command(varying, SMALL).argv

    assert argv.count("expr:gte(t,n_forced*2)") == 2
    assert plan(varying).segment == 6


def test_key_frames_are_asked_for_by_time_where_only_a_header_tells_the_rate() -> None:
    """Matroska's rate is what its writer hoped for; there may be gaps all the same."""
    hoped = with_picture(frames=None, time_base=Fraction(1, 1000))

    first = plan(hoped).pictures[0].video

    assert first is not None
    assert (first.timing.kind, first.timing.gop_seconds) == ("snapped", 2)


def test_every_sound_is_a_rendition_the_chosen_one_first() -> None:
    both = replace(FILM, audio=(FRENCH, SOUND))

    sounds = plan(both).sounds
    one = plan(both, {**SMALL, "audio_tracks": "one"}).sounds
    chosen = plan(both, SMALL, audio_language="fra").sounds

    assert [(s.key, s.label, s.title, s.default) for s in sounds] == [
        ("a1", "eng", "eng", True),
        ("a2", "fra", "Version fr", False),
    ]
    assert [s.label for s in one] == ["eng"]
    assert [s.label for s in chosen] == ["fra"]


SURROUND = {"codec": "eac3", "channels": 6}


def test_a_group_encodes_every_sound_again_under_the_same_titles() -> None:
    wide = replace(SOUND, channels=6)
    both = replace(FILM, audio=(wide, FRENCH))

    sounds = plan(
        both, {**SMALL, "audio": {"channels": 2}, "audio_groups": [SURROUND]}
    ).sounds

    assert [
        (s.key, s.title, s.default, s.group, s.audio and (s.audio.codec, s.audio.channels))
        for s in sounds
    ] == [
        ("a1", "eng", True, 1, ("aac", 2)),
        ("a2", "Version fr", False, 1, ("aac", 2)),
        ("a3", "eng", True, 2, ("eac3", 6)),
        ("a4", "Version fr", False, 2, ("eac3", 2)),
    ]


def test_a_group_for_more_channels_than_there_are_is_left_out() -> None:
    groups = [SURROUND, {"codec": "opus"}]

    sounds = plan(FILM, {**SMALL, "audio_groups": groups}).sounds

    assert [(s.key, s.group, s.holds) for s in sounds] == [
        ("a1", 1, "aac"),
        ("a2", 2, "opus"),
    ]


def test_a_fault_in_a_group_is_told_with_its_place() -> None:
    fading = {"codec": "opus", "fade_in": 3000}

    with pytest.raises(InvalidRecipe) as caught:
        plan(FILM, {**SMALL, "audio_groups": [SURROUND, fading]})

    assert "outputs[0].audio_groups[1]" in caught.value.message


def test_sounds_of_one_name_are_told_apart() -> None:
    both = replace(FILM, audio=(SOUND, replace(SOUND, index=2, default=False)))

    assert [s.title for s in plan(both).sounds] == ["eng", "eng 2"]


def test_each_sound_has_its_own_loudness() -> None:
    both = replace(FILM, audio=(SOUND, FRENCH))
    plans = plans_of(both, {**SMALL, "audio": {"loudness": {}}})

    measured = measure_commands(plans, source="source", threads=1)

    assert [each.sounds for each in measured] == [("0a1s0",), ("0a2s0",)]


def test_a_source_without_sound_or_picture_makes_what_it_has() -> None:
    assert plan(SILENT).sounds == ()
    assert plan(SONG).pictures == ()
    assert [s.key for s in plan(SONG).sounds] == ["a1"]
    with pytest.raises(NoStreams):
        plan(SONG, {"kind": "adaptive", "audio": None})
    with pytest.raises(NoStreams):
        plan(SILENT, {"kind": "adaptive", "video": None})


def test_a_picture_that_begins_late_is_shown_from_the_start() -> None:
    late = with_picture(start_time=0.5)

    made = command(late, SMALL, {"name": "film.mp4", "video": {"height": 360}})
    first = plan(late).pictures[0].video

    assert graph(made).count("setpts='if(eq(N,0),0,PTS)'") == 1
    assert first is not None
    assert PICTURE.duration is not None
    assert first.duration == pytest.approx(PICTURE.duration + 0.5)


def test_a_sound_that_begins_at_nought_after_a_picture_before_it_is_late() -> None:
    """Nought is a time like any other, where the file itself begins before it."""
    early = replace(with_picture(start_time=-0.5), start_time=-0.5)

    picture, sound = (each[-1] for each in (plan(early).pictures, plan(early).sounds))

    assert picture.video is not None
    assert sound.audio is not None
    assert SOUND.duration is not None
    assert not picture.video.from_start
    assert sound.audio.duration == pytest.approx(SOUND.duration + 0.5)


def test_a_sound_that_begins_late_is_read_for_itself_so_that_nothing_waits_for_it() -> None:
    late = replace(FILM, audio=(replace(SOUND, start_time=0.5),))

    made, usual = command(late, SMALL), command(FILM, SMALL)
    leaping = command(replace(late, format="mpegts"), SMALL)

    assert made.argv.count("-i") == 2
    assert leaping.argv.count("-i") == 1
    assert "1:1" in made.argv
    assert "0:1" not in made.argv
    assert usual.argv.count("-i") == 1


def test_a_sound_of_which_nothing_tells_when_it_begins_is_read_for_itself() -> None:
    made = command(replace(FILM, format="flv"), SMALL)

    assert made.argv.count("-i") == 2
    assert "1:1" in made.argv


def test_manifests_have_lasting_names() -> None:
    both, one = plans_of(
        FILM, SMALL, {**SMALL, "formats": ["dash"], "name": "{stem}-{codec}.mpd"}
    )

    assert both.names == ("film/index.m3u8", "film/index.mpd")
    assert one.names == ("film-h264.mpd",)


def test_subtitles_of_text_are_renditions_each_with_a_title_of_its_own() -> None:
    streams = (
        SubtitleStream(index=2, codec="mov_text", language="eng", default=True),
        SubtitleStream(index=3, codec="subrip", language="eng", hearing_impaired=True),
        SubtitleStream(index=4, codec="hdmv_pgs_subtitle", language="eng"),
        SubtitleStream(index=5, codec="ass", language="fra", forced=True, default=True),
        SubtitleStream(index=6, codec="ass", language="eng"),
        SubtitleStream(index=7, codec="ass", title='Deutsch "1"\n', language="deu"),
    )

    found = plan(replace(FILM, subtitles=streams)).texts

    assert [(t.key, t.title, t.track.stream) for t in found] == [
        ("s1", "eng", 2),
        ("s2", "eng (SDH)", 3),
        ("s3", "fra (forced)", 5),
        ("s4", "eng 2", 6),
        ("s5", "Deutsch 1", 7),
    ]
    assert [t.default for t in found] == [True, False, False, False, False]


def test_text_is_fetched_beside_the_encode_and_not_by_it() -> None:
    said = replace(FILM, subtitles=(SubtitleStream(index=2, codec="mov_text"),))

    fetched = texts_command(plans_of(said, SMALL), source="source")

    assert fetched is not None
    assert fetched.argv[-6:] == ("0:2", "-c:s", "subrip", "-f", "srt", "text-2.srt")
    assert command(said, SMALL) == command(FILM, SMALL)
    assert plan(said, {**SMALL, "subtitles": None}).texts == ()


def test_more_segment_files_than_a_record_holds_are_refused() -> None:
    long = replace(FILM, duration=3 * 3600.0)

    with pytest.raises(InvalidRecipe) as caught:
        plan(long, {**SMALL, "segments": "files"})
    assert plan(long).segments == "ranges"
    assert plan(FILM, {**SMALL, "segments": "files"}).segments == "files"

    assert caught.value.message.startswith(
        "outputs[0].segments: would make 5411 files; allowed: 2000."
    )


def test_an_adaptive_output_is_one_task_beside_others() -> None:
    plans = plans_of(
        FILM,
        SMALL,
        {"name": "song.m4a"},
        {**SMALL, "video": None, "ladder": None, "name": "s/{stem}.{ext}"},
    )

    tasks = plan_tasks(FILM, plans, Policy(nodes=2, split_above=1))

    assert [(task.key, task.outputs) for task in tasks] == [
        ("encode-0", (0,)),
        ("audio-0", (1, 2)),
        ("assemble-0", ()),
    ]


def test_room_and_work_are_those_of_all_renditions() -> None:
    one, many = (
        plans_of(FILM, {"kind": "adaptive", "ladder": ladder})
        for ladder in (
            [{"height": 720, "bitrate": 2000}],
            [{"height": 720, "bitrate": 2000}, {"height": 360, "bitrate": 1000}],
        )
    )

    assert FILM.duration is not None
    more = expected_bytes(many, FILM) - expected_bytes(one, FILM)
    assert more == pytest.approx(FILM.duration * 1_000_000 / 8, rel=0.01)
    assert table_of_plan(many) > table_of_plan(one)


def test_segment_files_take_their_room_twice() -> None:
    whole, cut = (
        expected_bytes(plans_of(FILM, {**SMALL, "segments": segments}), FILM)
        for segments in ("ranges", "files")
    )
    spare = expected_bytes((), FILM)

    assert cut - spare == 2 * (whole - spare)


@pytest.mark.parametrize(
    ("changes", "ahead"),
    [
        ({}, True),
        ({"segments": "files"}, False),
        ({"segments": "ts", "formats": ["hls"]}, False),
        (
            {
                "encryption": {
                    "scheme": "cenc",
                    "key": "0" * 32,
                    "key_id": "1" * 32,
                    "key_url": "https://k/",
                }
            },
            False,
        ),
    ],
)
def test_only_what_is_published_as_it_is_written_is_sent_ahead(
    changes: dict[str, object], ahead: bool
) -> None:
    """Of other renditions files are cut yet, or their frames encrypted."""
    film = {"kind": "file", "name": "film.mp4"}
    pictures = {"kind": "thumbnails", "interval": 10}
    plans = plans_of(FILM, {**SMALL, **changes}, film, pictures)
    made = encode_command(FILM, plans, source="source", threads=2).produces

    sent = [each.path for each in sent_ahead(plans, made, "attempt")]

    renditions = ("out-0-v1.mp4", "out-0-v2.mp4", "out-0-a1.mp4")
    assert sent == [*(renditions if ahead else ()), "out-1.mp4"]
