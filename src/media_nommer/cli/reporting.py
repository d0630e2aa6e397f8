"""Telling people what went wrong, and the exit status that goes with it."""

import json
import os
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePath
from typing import Any, TextIO

import typer
from typer.core import TyperCommand, TyperGroup
from typing_extensions import override

from media_nommer.core.errors import BadRequest, Failure, NommerError

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130

_JSON = "media_nommer.json"
_RED, _DIM, _BOLD = "31", "2", "1"


class GuardedGroup(TyperGroup):
    """A command of commands, none of which ends in a traceback that was expected."""

    @override
    def invoke(self, ctx: Any) -> Any:
        with _guard(ctx):
            return super().invoke(ctx)


class GuardedCommand(TyperCommand):
    """A single command that does not end in a traceback that was expected."""

    @override
    def invoke(self, ctx: Any) -> Any:
        with _guard(ctx):
            return super().invoke(ctx)


def remember_json(ctx: typer.Context, wanted: bool) -> bool:
    """Remember, as the callback of ``--json``, that errors are wanted as JSON as well."""
    ctx.meta[_JSON] = wanted
    return wanted


def exit_status(error: NommerError) -> int:
    """Return 2 where the command itself was wrong, else 1."""
    return EXIT_USAGE if isinstance(error, BadRequest) else EXIT_FAILED


def show_failure(
    failure: Failure, *, about: str = "", stream: TextIO | None = None
) -> None:
    """Print what went wrong and what to do about it, on standard error by default."""
    out = stream or sys.stderr
    first, *more = failure.message.splitlines() or ["something failed without a word"]
    head = styled("error:", f"{_BOLD};{_RED}", out)
    known = not about or first.startswith(PurePath(about).name)
    lines = [f"{head} {first if known else f'{about}: {first}'}"]
    lines += [f"       {line}" for line in more]
    if failure.advice:
        lines.append(f"  {failure.advice}")
    if failure.log_tail:
        lines.append(styled("  The encoder's last lines:", _DIM, out))
        lines += [styled(f"    {line}", _DIM, out) for line in failure.log_tail]
    lines.append(styled(f"  {failure.code}", _DIM, out))
    typer.echo("\n".join(lines), file=out)


def failure_document(failure: Failure) -> dict[str, object]:
    """Return what went wrong as it stands in JSON answers."""
    return {
        "code": failure.code,
        "message": failure.message,
        "advice": failure.advice,
        "retryable": failure.retryable,
        "log_tail": list(failure.log_tail),
    }


def styled(text: str, style: str, stream: TextIO) -> str:
    """Return ``text`` in an ANSI style where ``stream`` is a terminal that wants it."""
    if not stream.isatty() or "NO_COLOR" in os.environ:
        return text
    return f"\033[{style}m{text}\033[0m"


@contextmanager
def _guard(ctx: typer.Context) -> Iterator[None]:
    """Turn errors into sentences and exit statuses."""
    try:
        yield
    except NommerError as error:
        _report(Failure.of(error), as_json=bool(ctx.meta.get(_JSON)))
        raise typer.Exit(exit_status(error)) from error
    except KeyboardInterrupt as error:
        typer.echo("stopped", err=True)
        raise typer.Exit(EXIT_INTERRUPTED) from error
    except Exception as error:
        if _is_typers_own(error):
            raise
        _report_unexpected(ctx, error)
        raise typer.Exit(EXIT_FAILED) from error


def _is_typers_own(error: Exception) -> bool:
    """Whether Typer has its own answer: usage errors, exits, a reader that went away."""
    return isinstance(error, BrokenPipeError | EOFError) or type(
        error
    ).__module__.startswith("typer.")


def _report(failure: Failure, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"error": failure_document(failure)}))
    else:
        show_failure(failure)


def _report_unexpected(ctx: typer.Context, error: Exception) -> None:
    if os.environ.get("NOMMER_DEBUG"):
        raise error
    with tempfile.NamedTemporaryFile(
        "w", prefix="nommer-", suffix=".log", delete=False
    ) as details:
        traceback.print_exception(error, file=details)
    failure = Failure(
        code=NommerError.code,
        message=f"media-nommer failed in a way that it did not expect: {error!r}",
        advice=f"The details are in {details.name} (NOMMER_DEBUG=1 shows them here); "
        "please report them.",
    )
    _report(failure, as_json=bool(ctx.meta.get(_JSON)))
