"""What a check finds, and what to do about it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one check found; ``advice`` says what to do about a problem."""

    what: str
    ok: bool
    detail: str
    advice: str = ""
