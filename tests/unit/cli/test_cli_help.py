import re

import pytest
from typer.testing import CliRunner

from media_nommer.cli.main import app

COMMANDS = (
    "encode serve plan submit jobs show watch cancel retry logs costs nodes "
    "node-log schema probe doctor config"
)


@pytest.mark.parametrize("command", COMMANDS.split())
def test_every_option_says_its_default(command: str) -> None:
    said = CliRunner().invoke(app, [command, "--help"])

    options = said.output.partition("Options:")[2].partition("Examples:")[0]
    for option in re.split(r"\n +-", options)[1:]:
        assert "Default:" in option or "--help" in option, option


def test_no_summary_of_a_command_is_cut_short() -> None:
    said = CliRunner().invoke(app, ["--help"])

    assert "..." not in said.output.partition("Commands:")[2]
