"""FFmpeg's own options from a recipe, among those that were planned."""

from collections.abc import Sequence

from media_nommer.core.recipes.raw import PARAMETER_LISTS, raw_words


def with_raw(argv: Sequence[str], raw: Sequence[tuple[str, str]]) -> list[str]:
    """Return the options of one output with those of its recipe behind them.

    Of an option that stands twice FFmpeg takes the last. A list of an encoder's parameters
    that we give as well is added to ours.
    """
    words = list(argv)
    for name, value in raw:
        option, said = raw_words([(name, value)])
        if option[1:] in PARAMETER_LISTS and option in words:
            words[words.index(option) + 1] += f":{said}"
        else:
            words += (option, said)
    return words
