"""From an answer that is no success to the error that it means."""

import json
from collections.abc import Iterator
from typing import Any

from media_nommer.core.errors import NommerError


class RemoteError(NommerError):
    """feederd said that something went wrong, in words that this version does not know."""

    code = "REMOTE"


def error_of(status: int, body: bytes, url: str) -> NommerError:
    """Return the error that an answer means, of the class that has its code."""
    said = _said(body)
    if said is None:
        return RemoteError(
            f"{url} answered with status {status}, and not as a feederd does",
            advice="See whether the URL is right, and what else listens there.",
        )
    code = str(said["code"])
    kind = _kinds().get(code) or type("RemoteError", (RemoteError,), {"code": code})
    error: NommerError = kind(
        str(said.get("message") or f"feederd answered with status {status}"),
        advice=str(said.get("advice") or ""),
        log_tail=[str(line) for line in said.get("log_tail") or ()],
    )
    return error


def _said(body: bytes) -> dict[str, Any] | None:
    """Return the part of an answer that has the code, None where there is none."""
    try:
        document = json.loads(body)
    except ValueError:
        return None
    if not isinstance(document, dict):
        return None
    inner = document.get("error", document)
    return inner if isinstance(inner, dict) and "code" in inner else None


def _kinds() -> dict[str, type[NommerError]]:
    return {kind.code: kind for kind in _tree(NommerError)}


def _tree(kind: type[NommerError]) -> Iterator[type[NommerError]]:
    yield kind
    for child in kind.__subclasses__():
        if child.__module__ == NommerError.__module__:
            yield from _tree(child)
