"""The manifest of DASH (ISO/IEC 23009-1), of its profiles for files and for segments."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import groupby
from xml.etree import ElementTree

from media_nommer.core.recipes.encryption import Encryption
from media_nommer.planning.packaging.dash_texts import add_text
from media_nommer.planning.packaging.index import index_place
from media_nommer.planning.packaging.languages import language_tag
from media_nommer.planning.packaging.licences import (
    CENC,
    Licence,
    add_protection,
    licence_of,
)
from media_nommer.planning.packaging.names import file_name, header_name
from media_nommer.planning.packaging.packed import Packed
from media_nommer.planning.packaging.segments import peak_bits
from media_nommer.planning.packaging.texts import PackedText

_PROFILE = "urn:mpeg:dash:profile:isoff-"
_CHANNELS = "urn:mpeg:dash:23003:3:audio_channel_configuration:2011"
_TRANSFER = "urn:mpeg:mpegB:cicp:TransferCharacteristics"
_TRANSFERS = {"PQ": "16", "HLG": "18"}
_SEVEN_ONE = {8: 12}  # the number that MPEG gives to a layout is mostly its channels'


def manifest(
    renditions: Sequence[Packed],
    target: int,
    *,
    segments: str,
    texts: Sequence[PackedText] = (),
    encryption: Encryption | None = None,
) -> str:
    """Return the manifest (MPD); its addresses are beside it."""
    length = max(each.length for each in renditions)
    whole = segments == "ranges"
    root = ElementTree.Element(
        "MPD",
        {
            "xmlns": "urn:mpeg:dash:schema:mpd:2011",
            "profiles": _PROFILE + ("on-demand:2011" if whole else "live:2011"),
            "type": "static",
            "mediaPresentationDuration": _span(length),
            "minBufferTime": _span(Fraction(target)),
        },
    )
    licences = [licence_of(encryption, sound=sound) for sound in (False, True)]
    if any(licences):
        root.set("xmlns:cenc", CENC)
    period = ElementTree.SubElement(root, "Period", id="0", start="PT0S")
    pictures = [each for each in renditions if each.rendition.video]
    sounds = [each for each in renditions if each.rendition.audio]
    if pictures:
        _add_pictures(period, pictures, target, whole, licences[0])
    for number, each in enumerate(sounds, start=1):
        _add_sound(period, number, each, target, whole, licences[1])
    for number, track in enumerate(texts, start=len(sounds) + 1):
        add_text(period, number, track)
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _add_pictures(
    period: ElementTree.Element,
    pictures: Sequence[Packed],
    target: int,
    whole: bool,
    licence: Licence | None,
) -> None:
    common = _adaptation(period, 0, "video", whole, licence)
    common.set("maxWidth", str(max(_side(each, "width") for each in pictures)))
    common.set("maxHeight", str(max(_side(each, "height") for each in pictures)))
    transfer = _TRANSFERS.get(pictures[0].light)
    if transfer:
        ElementTree.SubElement(
            common, "EssentialProperty", schemeIdUri=_TRANSFER, value=transfer
        )
    for each in pictures:
        told = _representation(common, each, target)
        told.set("width", str(_side(each, "width")))
        told.set("height", str(_side(each, "height")))
        told.set("sar", "1:1")
        if each.frame_rate is not None:
            told.set("frameRate", _ratio(each.frame_rate))
        _add_segments(told, each, whole)


def _add_sound(
    period: ElementTree.Element,
    number: int,
    packed: Packed,
    target: int,
    whole: bool,
    licence: Licence | None,
) -> None:
    audio = packed.rendition.audio
    assert audio is not None
    common = _adaptation(period, number, "audio", whole, licence)
    if language := language_tag(audio.language):
        common.set("lang", language)
    ElementTree.SubElement(common, "Label").text = packed.rendition.title
    role = "main" if packed.rendition.default else "alternate"
    ElementTree.SubElement(
        common, "Role", schemeIdUri="urn:mpeg:dash:role:2011", value=role
    )
    told = _representation(common, packed, target)
    told.set("audioSamplingRate", str(audio.sample_rate))
    ElementTree.SubElement(
        told,
        "AudioChannelConfiguration",
        schemeIdUri=_CHANNELS,
        value=str(_SEVEN_ONE.get(audio.channels, audio.channels)),
    )
    _add_segments(told, packed, whole)


def _adaptation(
    period: ElementTree.Element,
    number: int,
    kind: str,
    whole: bool,
    licence: Licence | None,
) -> ElementTree.Element:
    part = "subsegment" if whole else "segment"
    starts = "subsegmentStartsWithSAP" if whole else "startWithSAP"
    common = ElementTree.SubElement(
        period,
        "AdaptationSet",
        {
            "id": str(number),
            "contentType": kind,
            "mimeType": f"{kind}/mp4",
            f"{part}Alignment": "true",
            starts: "1",
        },
    )
    if licence is not None:
        add_protection(common, licence)
    return common


def _representation(
    common: ElementTree.Element, packed: Packed, target: int
) -> ElementTree.Element:
    return ElementTree.SubElement(
        common,
        "Representation",
        id=packed.rendition.key,
        codecs=packed.codec,
        bandwidth=str(peak_bits(packed.segments, target)),
    )


def _add_segments(told: ElementTree.Element, packed: Packed, whole: bool) -> None:
    """Tell where the segments are; by the schema this is the last thing that is told."""
    if whole:
        _add_index(told, packed)
    else:
        _add_timeline(told, packed)


def _add_index(told: ElementTree.Element, packed: Packed) -> None:
    base = ElementTree.SubElement(told, "BaseURL")
    base.text = file_name(packed.base, sound=packed.rendition.video is None)
    first, last = index_place(packed.file, packed.segments)
    index = ElementTree.SubElement(
        told,
        "SegmentBase",
        timescale=str(packed.file.timescale),
        indexRange=f"{first}-{last}",
    )
    ElementTree.SubElement(index, "Initialization", range=f"0-{packed.file.header - 1}")


def _add_timeline(told: ElementTree.Element, packed: Packed) -> None:
    scale = packed.file.timescale
    template = ElementTree.SubElement(
        told,
        "SegmentTemplate",
        timescale=str(scale),
        startNumber="1",
        initialization=header_name(packed.base),
        media=f"{packed.base}/$Number%05d$.m4s",
    )
    timeline = ElementTree.SubElement(template, "SegmentTimeline")
    ticks = [round(part.duration * scale) for part in packed.segments]
    for number, (length, run) in enumerate(groupby(ticks)):
        entry = ElementTree.SubElement(timeline, "S")
        if not number:
            entry.set("t", str(round(packed.segments[0].start * scale)))
        entry.set("d", str(length))
        if repeats := len(list(run)) - 1:
            entry.set("r", str(repeats))


def _side(packed: Packed, side: str) -> int:
    return int(getattr(packed.rendition.video, side))


def _ratio(rate: Fraction) -> str:
    exact = rate.limit_denominator(1001)
    whole = exact.denominator == 1
    return str(exact.numerator) if whole else f"{exact.numerator}/{exact.denominator}"


def _span(length: Fraction) -> str:
    return f"PT{float(length):.6f}".rstrip("0").rstrip(".") + "S"
