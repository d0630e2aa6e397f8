"""What an output that starts from a preset says, the preset's words written out."""

import difflib
from collections.abc import Mapping
from typing import Any

from media_nommer.core.presets import Preset
from media_nommer.core.recipes.codecs import CONTAINER_OF_EXTENSION
from media_nommer.core.recipes.own import StrangeOutput
from media_nommer.core.recipes.sentences import quoted

#: What a recipe without outputs makes.
USUAL_OUTPUTS = ({"preset": "web"},)

_COMMON_TO_CODECS = {
    *("codec", "width", "height", "turn_box", "frame_rate", "max_frame_rate"),
    *("resize", "upscale", "pad_color", "crop", "deinterlace", "hdr"),
    *("denoise", "sharpen", "fade_in", "fade_out"),
    *("watermarks", "texts", "burn_in"),
    *("channels", "loudness", "if_missing"),
}
#: What the preset says no more once its output says the first.
_OVERRULED = {
    "bitrate": ("quality", "max_bitrate", "buffer", "target_vmaf"),
    "quality": ("bitrate", "passes", "target_vmaf"),
    "target_vmaf": ("quality", "bitrate", "passes", "max_bitrate", "buffer"),
    "profile": ("bit_depth",),
    "bit_depth": ("profile",),
    "frame_rate": ("max_frame_rate",),
    "max_frame_rate": ("frame_rate",),
}


def with_presets(
    document: Mapping[str, Any], presets: Mapping[str, Preset]
) -> tuple[dict[str, Any], list[str]]:
    """Return a recipe's document without presets, and what is wrong where they are named.

    What cannot be found stands in it as an output that is let through.
    """
    outputs = document.get("outputs")
    if not isinstance(outputs, list | tuple):
        return dict(document), []
    problems: list[str] = []
    written: list[Any] = []
    for index, output in enumerate(outputs):
        if not isinstance(output, Mapping) or "preset" not in output:
            written.append(output)
        elif wrong := _problem(output["preset"], presets):
            problems.append(f"outputs[{index}].preset: {wrong}")
            written.append(StrangeOutput.model_construct(kind="preset"))
        else:
            said = {key: value for key, value in output.items() if key != "preset"}
            written.append(_merged(presets[output["preset"]], said))
    return {**document, "outputs": written}, problems


def _problem(name: object, presets: Mapping[str, Preset]) -> str | None:
    if isinstance(name, str) and name in presets:
        return None
    close = difflib.get_close_matches(str(name), presets, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ";"
    return f"there is no preset {quoted(name)}{hint} known: {', '.join(presets)}"


def _merged(preset: Preset, said: Mapping[str, Any]) -> dict[str, Any]:
    merged: dict[str, Any] = {**preset.output, **said, "from_preset": preset.name}
    for part in ("video", "audio"):
        base, own = preset.output.get(part), said.get(part)
        if isinstance(base, Mapping) and isinstance(own, Mapping):
            merged[part] = {**_kept(base, own), **own}
    if isinstance(said.get("ladder"), list) and isinstance(merged.get("video"), dict):
        merged["video"] = _without_box(merged["video"], said.get("video"))
    name = said.get("name")
    if isinstance(name, str) and "container" not in said:
        extension = name.rpartition(".")[2].lower()
        if extension in CONTAINER_OF_EXTENSION:
            merged.pop("container", None)
    return _with_one_choice_of_pictures(merged, said)


def _kept(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a preset's part still says where an output says something of its own."""
    changed = own.get("codec", base.get("codec")) != base.get("codec")
    overruled = {name for said in own for name in _OVERRULED.get(said, ())}
    return {
        key: value
        for key, value in base.items()
        if key not in overruled and (not changed or key in _COMMON_TO_CODECS)
    }


def _without_box(video: Mapping[str, Any], said: object) -> dict[str, Any]:
    """Return a preset's picture without its box, which a ladder has in each rendition."""
    own = said if isinstance(said, Mapping) else {}
    box = {"width", "height"} - set(own)
    return {key: value for key, value in video.items() if key not in box}


def _with_one_choice_of_pictures(
    merged: dict[str, Any], said: Mapping[str, Any]
) -> dict[str, Any]:
    """Drop the preset's ``count`` when the output asks for an interval or for times."""
    choices = {"count", "interval", "times", "poster"}
    if choices & set(said):
        for choice in choices - set(said):
            merged.pop(choice, None)
    return merged
