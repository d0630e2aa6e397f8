"""Whatever recipe validates and whatever media it meets, the plan is sound."""

import re
from dataclasses import replace
from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from planning_media import FILM, PICTURE, SOUND, plans_of, recipe_of

from media_nommer.core.media import AudioStream, Media, SubtitleStream
from media_nommer.core.recipes.names import unsafe_name
from media_nommer.planning.ffmpeg import (
    encode_command,
    first_pass_command,
    measure_commands,
    texts_command,
)
from media_nommer.planning.inputs.bars import bars_commands, watched_of
from media_nommer.planning.inputs.joining import Film
from media_nommer.planning.measuring import measuring_command
from media_nommer.planning.outputs import plan_outputs
from media_nommer.planning.pictures.sizes import shown_size
from media_nommer.planning.room import expected_bytes
from media_nommer.planning.tasks import Policy, plan_tasks
from media_nommer.planning.video import VideoPlan

TEXT = SubtitleStream(index=2, codec="subrip")
PICTURES_OF_TEXT = SubtitleStream(index=3, codec="hdmv_pgs_subtitle")
RATES = st.none() | st.sampled_from(
    [Fraction(24), Fraction(30000, 1001), Fraction(1000), Fraction(1, 5), Fraction(90000)]
)
PICTURES = st.builds(
    replace,
    st.just(PICTURE),
    width=st.integers(1, 9000),
    height=st.integers(1, 9000),
    sample_aspect=st.fractions(0, 20, max_denominator=100),
    rotation=st.sampled_from([0, 90, 180, 270]),
    frame_rate=RATES,
    average_rate=RATES,
    frames=st.none() | st.integers(1, 10**6),
    duration=st.none() | st.floats(0.001, 10**6),
    start_time=st.none() | st.floats(-10, 10),
    time_base=st.sampled_from([Fraction(1, 1000), Fraction(1, 90000)]),
    interlaced=st.booleans(),
    color_space=st.sampled_from([None, "bt709", "gbr"]),
    pixel_format=st.sampled_from([None, "yuv420p", "gbrp", "yuv422p10le"]),
)
SOUNDS = st.builds(
    replace,
    st.just(SOUND),
    channels=st.integers(0, 70),
    sample_rate=st.integers(1, 800_000),
    language=st.none() | st.text(max_size=5),
)
MEDIA: st.SearchStrategy[Media] = st.builds(
    replace,
    st.just(FILM),
    video=st.tuples(PICTURES),
    audio=st.just(()) | st.tuples(SOUNDS),
    duration=st.floats(0.001, 10**6),
    title=st.none() | st.text(),
)
SPOKEN = st.builds(
    replace,
    MEDIA,
    subtitles=st.just((TEXT,)) | st.just((TEXT, PICTURES_OF_TEXT)),
)
SIDES = st.none() | st.integers(16, 4000)
SPEEDS = st.sampled_from(["ultrafast", "veryfast", "medium", "veryslow"])
FILMS = st.fixed_dictionaries(
    {
        "container": st.just("mp4"),
        "video": st.fixed_dictionaries(
            {
                "codec": st.sampled_from(["h264", "vp9", "av1"]),
                "width": SIDES,
                "height": SIDES,
                "turn_box": st.booleans(),
                "quality": st.floats(1, 51),
                "speed": SPEEDS,
            }
        ),
    },
    optional={
        "audio": st.none()
        | st.fixed_dictionaries(
            {
                "codec": st.sampled_from(["aac", "opus"]),
                "bitrate": st.none() | st.integers(8, 640),
                "channels": st.sampled_from([None, 1, 2, 6, 8]),
            }
        )
    },
)
PICTURE_SETS = st.fixed_dictionaries(
    {"kind": st.just("thumbnails"), "count": st.integers(1, 30), "height": SIDES}
)


SHARES = st.floats(0.01, 0.3)
PLACES = st.sampled_from(["top-left", "center", "bottom", "right"])
TIMES = st.none() | st.floats(0, 1000)
TEXTS = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=40)
DRAWN = st.fixed_dictionaries(
    {
        "container": st.just("mp4"),
        "pace": st.floats(0.25, 4),
        "video": st.fixed_dictionaries(
            {"height": SIDES, "hdr": st.sampled_from(["auto", "sdr"])},
            optional={
                "crop": st.just("auto") | st.just({"aspect": "1:1"}),
                "bitrate": st.integers(10, 9000),
                "denoise": st.just("light"),
                "watermarks": st.lists(
                    st.fixed_dictionaries(
                        {
                            "url": TEXTS.map(lambda text: f"file:///{text}"),
                            "position": PLACES,
                            "width": SHARES,
                            "margin": SHARES,
                            "opacity": SHARES,
                            "start": TIMES,
                        }
                    ),
                    max_size=3,
                ),
                "texts": st.lists(
                    st.fixed_dictionaries(
                        {
                            "text": TEXTS.map(lambda text: f"{text}{{timecode}}"),
                            "position": PLACES,
                            "size": SHARES,
                            "margin": SHARES,
                            "start": TIMES,
                        },
                        optional={"background": st.just("#00000080")},
                    ),
                    max_size=3,
                ),
                "burn_in": st.fixed_dictionaries({"size": SHARES}),
            },
        ),
    },
    optional={"audio": st.none() | st.just({"codec": "opus"})},
).map(lambda said: _twice(said))


AUDIO = st.fixed_dictionaries(
    {"codec": st.sampled_from(["aac", "opus", "flac", "ac3", "eac3"])},
    optional={"channels": st.sampled_from([1, 2, 6]), "loudness": st.just({})},
)
STREAMED = st.fixed_dictionaries(
    {
        "kind": st.just("adaptive"),
        "video": st.fixed_dictionaries({"height": SIDES, "speed": SPEEDS}),
        "gop": st.floats(0.5, 4),
    },
    optional={
        "audio": AUDIO,
        "audio_groups": st.lists(AUDIO, max_size=3),
        "audio_tracks": st.sampled_from(["one", "all"]),
        "pace": st.floats(0.25, 4),
    },
).map(lambda said: {**said, "segment_duration": 3 * said["gop"]})


def _twice(output: dict[str, Any]) -> dict[str, Any]:
    """Return an output that takes two passes to an average bit rate."""
    if "bitrate" in output["video"]:
        output = {**output, "video": {**output["video"], "passes": 2}}
    return output


def named(output: dict[str, Any], number: int) -> dict[str, Any]:
    film = f"{number}/{{stem}}-{{width}}x{{height}}.{{ext}}"
    return {**output, "name": film if "video" in output else f"{number}-{{number}}.jpg"}


@settings(deadline=None)
@given(MEDIA, st.lists(FILMS | PICTURE_SETS, min_size=1, max_size=5), st.text(max_size=300))
def test_every_plan_can_be_built(
    media: Media, outputs: list[dict[str, Any]], stem: str
) -> None:
    recipe = recipe_of(*[named(output, place) for place, output in enumerate(outputs)])

    plans = plan_outputs(media, recipe, stem=stem)
    command = encode_command(media, plans, source="source", threads=3)

    names = [name for plan in plans for name in plan.names]
    assert len(set(names)) == len(names)
    assert [made.name for made in command.produces] == names
    assert not any(unsafe_name(name) for name in names)
    assert not any("\x00" in word for word in command.argv)
    assert all(isinstance(word, str) and word for word in command.argv)


@settings(deadline=None)
@given(MEDIA, SOUNDS, STREAMED)
def test_every_adaptive_output_can_be_built(
    media: Media, other: AudioStream, output: dict[str, Any]
) -> None:
    media = replace(media, audio=(*media.audio, replace(other, index=9, default=False)))

    (plan,) = plan_outputs(media, recipe_of(output), stem="film")
    command = encode_command(media, [plan], source="source", threads=3)
    measure_commands([plan], source="source", threads=3)

    assert plan.adaptive is not None
    renditions = plan.adaptive.renditions
    assert len({each.key for each in renditions}) == len(renditions)
    assert [made.rendition for made in command.produces] == [
        each.key for each in renditions
    ]
    defaults = [each.group for each in plan.adaptive.sounds if each.default]
    assert defaults == sorted({each.group for each in plan.adaptive.sounds})
    assert all(isinstance(word, str) and word for word in command.argv)


@settings(deadline=None)
@given(SPOKEN, st.lists(DRAWN | FILMS, min_size=1, max_size=4))
def test_every_drawn_paced_and_twice_passed_film_can_be_built(
    media: Media, outputs: list[dict[str, Any]]
) -> None:
    recipe = recipe_of(*[named(output, place) for place, output in enumerate(outputs)])

    plans = plan_outputs(media, recipe, stem="film")
    command = encode_command(media, plans, source="source", threads=3)
    first = first_pass_command(media, plans, source="source", threads=3)
    bars = bars_commands(watched_of(Film(media, "source"), recipe))
    texts_command(plans, source="source")

    for argv in (command.argv, first, *(one.argv for one in bars)):
        assert all(isinstance(word, str) and word for word in argv)
        graphs = [argv[n + 1] for n, word in enumerate(argv) if word == "-filter_complex"]
        for graph in graphs:
            assert graph.isascii()
            ends = [re.search(r"(\[\w+\])+$", part) for part in graph.split(";")]
            made = [label for end in ends if end for label in end[0].split("[")[1:]]
            assert len(set(made)) == len(made)
    wanted = {log.wanted for log in command.logs}
    assert len(wanted) == sum(1 for plan in plans if plan.video and plan.video.passes > 1)
    assert expected_bytes(plans, media) > 0


@settings(deadline=None)
@given(PICTURES, FILMS)
def test_a_picture_is_even_and_within_source_and_box(
    picture: Any, output: dict[str, Any]
) -> None:
    (plan,) = plans_of(replace(FILM, video=(picture,)), output)

    video, shown, least = plan.video, shown_size(picture), 16
    assert video is not None
    assert video.width % 2 == 0
    assert video.height % 2 == 0
    assert video.width <= max(least, shown.width)
    assert video.height <= max(least, shown.height)
    box = [side for side in (output["video"]["width"], output["video"]["height"]) if side]
    if len(box) == 2:
        assert min(video.width, video.height) <= max(least, min(box))
        assert max(video.width, video.height) <= max(least, max(box))


@settings(deadline=None)
@given(
    PICTURES,
    FILMS,
    st.sampled_from(["fit", "fill", "pad"]),
    st.none() | st.just({"aspect": "1:1"}),
)
def test_what_is_measured_is_compared_in_one_even_size_that_loses_nothing(
    picture: Any, output: dict[str, Any], resize: str, crop: object
) -> None:
    said = output["video"]
    both = said["width"] and said["height"]
    film = {**said, "resize": resize if both else "fit", "crop": crop}
    media = replace(FILM, video=(picture,))
    (plan,) = plans_of(media, {**output, "video": film, "measure": ["vmaf", "ssim"]})

    argv = measuring_command(media, plan, "out.mp4", source="source", threads=2)

    graph = argv[argv.index("-filter_complex") + 1]
    (width, height), *others = (
        (int(wide), int(high)) for wide, high in re.findall(r"scale=(\d+):(\d+)", graph)
    )
    assert plan.video is not None
    assert width % 2 == height % 2 == 0
    assert width * height >= plan.video.shape.scaled.width * plan.video.shape.scaled.height
    assert set(others) <= {(width, height)}
    assert bool(others) == ((width, height) != _scaled(plan.video))


def _scaled(video: VideoPlan) -> tuple[int, int]:
    return video.shape.scaled.width, video.shape.scaled.height


@settings(deadline=None)
@given(
    MEDIA,
    st.lists(
        st.sampled_from(["web", "webm", "av1", "thumbnails", "web-small"]),
        min_size=1,
        unique=True,
    ),
    st.integers(0, 5),
)
def test_every_output_is_in_one_task_and_the_weights_are_one(
    media: Media, presets: list[str], nodes: int
) -> None:
    plans = plans_of(media, *[{"preset": name} for name in presets])

    tasks = plan_tasks(media, plans, Policy(nodes=nodes, split_above=100))

    assert sorted(i for task in tasks for i in task.outputs) == list(range(len(plans)))
    assert abs(sum(task.weight for task in tasks) - 1) < 1e-9
    assert all(task.weight > 0 for task in tasks)
    done: set[str] = set()
    for task in tasks:
        assert set(task.needs) <= done
        done.add(task.key)
