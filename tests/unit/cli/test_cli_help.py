import re
import shlex
from collections.abc import Iterator

import pytest
import typer
from typer.testing import CliRunner

from media_nommer.cli.daemons import ec2nommerd_app, feederd_app
from media_nommer.cli.main import app

#: What may be left out has a default, and these are all that it may be said of otherwise.
OURS = ("--help", "--version", "--install-completion", "--show-completion")


def commands(group: typer.Typer, *before: str) -> Iterator[tuple[str, ...]]:
    """Yield the words of every command below ``group``."""
    found = typer.main.get_command(group)
    for name, command in getattr(found, "commands", {}).items():
        words = (*before, name)
        inner = getattr(command, "commands", None)
        yield from ((*words, each) for each in inner) if inner else (words,)


COMMANDS = sorted(commands(app))


def options_of(help_text: str) -> list[str]:
    section = re.split(r"\n\n(?=\S)", help_text.partition("Options:")[2])[0]
    return re.split(r"\n +(?=-)", section)[1:]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_option_says_its_default(words: tuple[str, ...]) -> None:
    said = CliRunner().invoke(app, [*words, "--help"])

    assert said.exit_code == 0
    for option in options_of(said.output):
        assert "Default:" in option or any(each in option for each in OURS), option


@pytest.mark.parametrize("daemon", [feederd_app, ec2nommerd_app], ids=["feed", "nom"])
def test_every_option_of_a_daemon_says_its_default(daemon: typer.Typer) -> None:
    said = CliRunner().invoke(daemon, ["--help"])

    for option in options_of(said.output):
        assert "Default:" in option or any(each in option for each in OURS), option


@pytest.mark.parametrize("words", [(), ("aws",)], ids=["nommer", "nommer aws"])
def test_no_summary_of_a_command_is_cut_short(words: tuple[str, ...]) -> None:
    said = CliRunner().invoke(app, [*words, "--help"])

    assert "..." not in said.output.partition("Commands:")[2]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_example_is_a_command_line_that_can_be_typed(words: tuple[str, ...]) -> None:
    said = CliRunner().invoke(app, [*words, "--help"])

    for line in re.findall(r"^  +nommer (.*)$", said.output, re.MULTILINE):
        typed = shlex.split(line)
        command = typer.main.get_command(app)
        while (inner := getattr(command, "commands", None)) is not None:
            command = inner[typed.pop(0)]
        context = command.make_context(words[-1], typed)
        assert context.command is command


def test_feederd_can_be_told_of_every_kind_of_fleet() -> None:
    said = CliRunner().invoke(feederd_app, ["--help"])

    assert "<local|ec2|none>" in said.output
