"""What films and their tracks are called, in files and in players."""

import re
from collections.abc import Sequence

_LONGEST = 60
_LONGEST_TITLE = 500


def player_title(told: str | None, otherwise: str, others: Sequence[str]) -> str:
    """Return how players list a track; it is like none of ``others``.

    What the source calls it comes from strangers: no text of a manifest ends by it.
    """
    clean = " ".join(re.sub(r"[\x00-\x1f\x7f\"<>&]+", " ", told or "").split())
    name = clean[:_LONGEST].strip() or otherwise
    number = 2
    title = name
    while title in others:
        title = f"{name} {number}"
        number += 1
    return title


def clean_title(title: str | None) -> str | None:
    """Return a title that can stand in an argument list and in any container."""
    if not title:
        return None
    text = title.encode("utf-8", "replace").decode("utf-8")
    text = re.sub("[\x00-\x1f\x7f]+", " ", text).strip()
    return text[:_LONGEST_TITLE] or None
