"""How players list the tracks of a film."""

import re
from collections.abc import Sequence

_LONGEST = 60


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
