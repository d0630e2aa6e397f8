"""Outputs of kinds that come with somebody else's package."""

from pydantic import ConfigDict

from media_nommer.core.recipes.base import AnyKind


class OwnOutput(AnyKind):
    """What an output of an own kind may say: the base of its document.

    A document below this one gives ``kind`` its one value, and has the fields of its own.
    ``name`` and ``expect`` mean what they do in all outputs.
    """

    kind: str = ""


class StrangeOutput(OwnOutput):
    """An output of a kind that nothing here knows, as another machine took it on."""

    model_config = ConfigDict(extra="allow", frozen=True, defer_build=True)
