"""What twistd's command line offers is what the daemons' own commands offer."""

from typing import Any

import pytest
import typer.main
from twisted.python import usage

from media_nommer.cli.daemons import ec2nommerd_app, feederd_app
from media_nommer.daemons.twisted.options import Ec2nommerdOptions, FeederdOptions


def said_of(options: usage.Options) -> dict[str, str]:
    theirs = {"help", "version"}
    return {name: words for name, words in options.docs.items() if name not in theirs}


def said_by(app: typer.Typer) -> dict[str, str]:
    command: Any = typer.main.get_command(app)
    return {option.opts[0].removeprefix("--"): option.help for option in command.params}


@pytest.mark.parametrize(
    ("options", "app", "more"),
    [
        (FeederdOptions, feederd_app, set()),
        (Ec2nommerdOptions, ec2nommerd_app, {"node-id"}),
    ],
)
def test_twistd_has_the_options_of_the_command_in_the_same_words(
    options: type[usage.Options], app: typer.Typer, more: set[str]
) -> None:
    ours, theirs = said_of(options()), said_by(app)

    assert ours.keys() - theirs.keys() == more
    assert {name: ours[name] for name in theirs} == theirs
