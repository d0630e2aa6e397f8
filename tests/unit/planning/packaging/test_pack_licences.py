"""Frames that are encrypted: command lines, and what players are told."""

import base64
import struct
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

from packing_samples import ENGLISH, LARGE, adaptive, fragmented, text

from media_nommer.core.recipes.encryption import PLAYREADY, WIDEVINE, Encryption
from media_nommer.planning.packaging.cenc import Keys, cenc_command, key_flags
from media_nommer.planning.packaging.index import index_bytes, index_place
from media_nommer.planning.packaging.licences import key_lines, licence_of
from media_nommer.planning.packaging.package import Writing, package
from media_nommer.planning.packaging.segments import segments_of

KEY, KEY_ID, SOUND_ID = "1" * 32, "a0" * 16, "b1" * 16
COMMON = (
    "0000003470737368010000001077efecc0b24d02ace33c1e52e2fb4b00000001"
    "a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a000000000"
)


def box(system: bytes, content: bytes) -> str:
    head = struct.pack(">I4sI16sI", 32 + len(content), b"pssh", 0, system, len(content))
    return base64.b64encode(head + content).decode()


def wanted(**said: Any) -> Encryption:
    fields = {"scheme": "cbcs", "key": KEY, "key_id": KEY_ID, "key_url": "skd://film"}
    return Encryption.model_validate({**fields, **said})


def test_a_command_line_names_a_file_with_the_keys_and_no_key() -> None:
    argv = cenc_command(LARGE, wanted(), source="in.mp4", target="out.mp4", flags="f")

    assert argv == (
        "in=in.mp4,stream=video,output=out.mp4,drm_label=video",
        "--enable_raw_key_encryption",
        "--flagfile=f",
        "--protection_scheme=cbcs",
        "--clear_lead=0",
        f"--pssh={COMMON}",
        "--segment_duration=0.01",
        "--fragment_duration=0.01",
        "--temp_dir=.",
    )


def test_the_fragments_of_a_sound_stay_as_long_as_they_were() -> None:
    argv = cenc_command(
        ENGLISH, wanted(scheme="cenc"), source="in.mp4", target="out.mp4", flags="f"
    )

    assert argv[0] == "in=in.mp4,stream=audio,output=out.mp4,drm_label=audio"
    assert argv[3] == "--protection_scheme=cenc"
    assert argv[-3:-1] == ("--segment_duration=2", "--fragment_duration=2")


def test_sounds_have_the_key_of_pictures_or_their_own() -> None:
    keys = Keys(bytes.fromhex(KEY), bytes(16))

    assert key_flags(wanted(), keys) == (
        f"--keys=label=video:key_id={KEY_ID}:key={KEY},"
        f"label=audio:key_id={KEY_ID}:key={'0' * 32}\n"
    )
    assert f"label=audio:key_id={SOUND_ID}:" in key_flags(
        wanted(audio_key="2" * 32, audio_key_id=SOUND_ID), keys
    )


def test_a_playlist_tells_each_system_in_its_own_words() -> None:
    boxes = [box(WIDEVINE.bytes, b"w"), box(PLAYREADY.bytes, b"p")]
    licence = licence_of(wanted(pssh=boxes), sound=False)

    assert licence is not None
    assert key_lines(licence) == [
        '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://film",'
        'KEYFORMAT="com.apple.streamingkeydelivery",KEYFORMATVERSIONS="1"',
        f'#EXT-X-KEY:METHOD=SAMPLE-AES,URI="data:text/plain;base64,{boxes[0]}",'
        f'KEYID=0x{KEY_ID},KEYFORMAT="urn:uuid:{WIDEVINE}",KEYFORMATVERSIONS="1"',
        '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="data:text/plain;charset=UTF-16;base64,cA==",'
        f'KEYID=0x{KEY_ID},KEYFORMAT="com.microsoft.playready",KEYFORMATVERSIONS="1"',
    ]


def test_an_address_that_is_not_apples_is_the_keys_own() -> None:
    licence = licence_of(wanted(scheme="cenc", key_url="https://keys/1"), sound=False)

    assert licence is not None
    assert key_lines(licence) == [
        '#EXT-X-KEY:METHOD=SAMPLE-AES-CTR,URI="https://keys/1",KEYFORMAT="identity"'
    ]


def test_a_manifest_tells_of_the_key_of_each_set_and_its_boxes() -> None:
    said = wanted(audio_key="2" * 32, audio_key_id=SOUND_ID.upper())
    files = framed(said)

    root = ElementTree.fromstring(files["film/index.mpd"])

    space = "{urn:mpeg:dash:schema:mpd:2011}"
    sets = root.findall(f".//{space}AdaptationSet")
    first = [each[0] for each in sets[:2]]
    kid = "{urn:mpeg:cenc:2013}default_KID"
    assert [(p.get("value"), p.get(kid)) for p in first] == [
        ("cbcs", "a0a0a0a0-a0a0-a0a0-a0a0-a0a0a0a0a0a0"),
        ("cbcs", "b1b1b1b1-b1b1-b1b1-b1b1-b1b1b1b1b1b1"),
    ]
    assert sets[0][1].get("schemeIdUri") == "urn:uuid:1077efec-c0b2-4d02-ace3-3c1e52e2fb4b"
    inside = sets[0][1].findtext("{urn:mpeg:cenc:2013}pssh")
    assert inside is not None
    assert base64.b64decode(inside).hex() == COMMON
    assert sets[2].find(f"{space}ContentProtection") is None


def test_playlists_of_key_frames_tell_of_the_key_and_those_of_text_do_not() -> None:
    files = framed(wanted())

    assert "SAMPLE-AES" in files["film/v1-720p-id-keys.m3u8"]
    assert "SAMPLE-AES" in files["film/a1-eng-id.m3u8"]
    assert "KEY" not in files["film/s1-eng-id.m3u8"]
    assert not any(KEY in each for each in files.values())


def test_an_index_without_room_for_long_times_has_short_ones() -> None:
    """The packager leaves room for no more than it needs itself."""
    file = fragmented([1000, 1000])
    parts = segments_of(file, 2.002)
    tight = replace(file, index_size=32 + 2 * 12)

    data = index_bytes(tight, parts)

    head = struct.unpack_from(">I4sIIIIIHH", data)
    assert head == (56, b"sidx", 0, 1, 24_000, 0, 0, 0, 2)
    assert len(data) == tight.index_size
    end = tight.index_offset + tight.index_size
    assert index_place(tight, parts) == (end - 56, end - 1)


def framed(encryption: Encryption) -> dict[str, str]:
    made = (LARGE, ENGLISH)
    output = adaptive(*made)
    assert output.adaptive is not None
    plan = replace(output.adaptive, encryption=encryption)
    files = package(replace(output, adaptive=plan), made, [text(1)], publication="id")
    return {f.name: f.text for f in files if isinstance(f, Writing)}
