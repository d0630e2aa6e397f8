"""Subtitles in manifests of DASH."""

from collections.abc import Iterator
from xml.etree import ElementTree

from media_nommer.planning.packaging.languages import language_tag
from media_nommer.planning.packaging.texts import PackedText, text_name
from media_nommer.planning.texts.streamed_texts import TextRendition

_ROLE = "urn:mpeg:dash:role:2011"
_PURPOSE = "urn:tva:metadata:cs:AudioPurposeCS:2007"
_FOR_THE_DEAF = "2"


def add_text(period: ElementTree.Element, number: int, packed: PackedText) -> None:
    """Tell of one track: a file as it is, without segments."""
    rendition = packed.rendition
    common = ElementTree.SubElement(
        period,
        "AdaptationSet",
        {"id": str(number), "contentType": "text", "mimeType": "text/vtt"},
    )
    if language := language_tag(rendition.language):
        common.set("lang", language)
    ElementTree.SubElement(common, "Label").text = rendition.title
    if rendition.hearing_impaired:
        ElementTree.SubElement(
            common, "Accessibility", schemeIdUri=_PURPOSE, value=_FOR_THE_DEAF
        )
    for role in _roles(rendition):
        ElementTree.SubElement(common, "Role", schemeIdUri=_ROLE, value=role)
    told = ElementTree.SubElement(
        common, "Representation", id=rendition.key, bandwidth=str(packed.bits)
    )
    ElementTree.SubElement(told, "BaseURL").text = text_name(packed.base)


def _roles(rendition: TextRendition) -> Iterator[str]:
    if rendition.forced:
        yield "forced-subtitle"
    else:
        yield "caption" if rendition.hearing_impaired else "subtitle"
    if rendition.default:
        yield "main"
