"""`nommer aws` as people type it."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from setup_ground import Install
from typer.testing import CliRunner, Result

from media_nommer import wiring
from media_nommer.cli.main import app
from media_nommer.conf import load_settings
from media_nommer.testing.samples import a_job

Nommer = Callable[..., Result]


@pytest.fixture
def nommer(
    install: Install, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Nommer:
    """Runs `nommer aws` with some words, on an installation of its own."""
    monkeypatch.setenv("NOMMER_CONFIG", "")
    monkeypatch.setenv("NOMMER_INSTALLATION", name)
    monkeypatch.setenv("NOMMER_DATA_DIR", str(tmp_path))

    def run(*words: str | Path) -> Result:
        return CliRunner().invoke(app, ["aws", *map(str, words)])

    return run


def document(result: Result) -> Any:
    return json.loads(result.stdout.splitlines()[-1])


def test_a_dry_run_prints_the_plan_and_does_nothing(nommer: Nommer) -> None:
    first = nommer("up", "--dry-run")
    second = nommer("up", "--dry-run")

    assert first.exit_code == 0
    assert "make  bucket" in first.stdout
    assert first.stdout == second.stdout


def test_nobody_to_ask_is_no_leave_to_do_it(nommer: Nommer) -> None:
    done = nommer("up")

    assert done.exit_code == 2
    assert "--yes" in done.stderr
    assert "make  bucket" in nommer("up", "--dry-run").stdout


def test_a_second_up_says_that_there_is_nothing_to_do(nommer: Nommer) -> None:
    assert nommer("up", "--yes").exit_code == 0

    again = nommer("up", "--yes")

    assert "There is nothing to do." in again.stdout
    assert 'fleet = "ec2"' in again.stdout


def test_the_settings_that_it_writes_are_those_of_a_feederd_with_a_fleet(
    nommer: Nommer, name: str, tmp_path: Path
) -> None:
    file = tmp_path / "written.toml"

    done = nommer("up", "--yes", "--write", file)
    again = nommer("up", "--yes", "--write", file)

    settings = load_settings(config=file, environ={})
    assert done.exit_code == 0
    assert (settings.fleet, settings.store) == ("ec2", f"dynamodb://{name}")
    assert settings.work == f"s3://{name}-123456789012-us-east-1/work"
    assert again.exit_code == 2
    assert "is there already" in again.stderr


def test_json_has_the_steps_the_settings_and_the_machine_of_feederd(nommer: Nommer) -> None:
    said = document(nommer("up", "--yes", "--with-feederd", "--json"))

    assert {step["do"] for step in said["steps"]} <= {"make", "keep"}
    assert said["settings"]["fleet"] == "ec2"
    assert said["feederd"].startswith("i-")
    assert said["feederd_url"] is None


def test_down_waits_for_jobs_unless_it_is_told_not_to(nommer: Nommer, name: str) -> None:
    nommer("up", "--yes")
    said = {"store": f"dynamodb://{name}", "queue": f"sqs://{name}", "work": "s3://x/y"}
    with wiring.open_engine(load_settings(said, environ={})) as engine:
        engine.store.add_job(a_job())

    refused = nommer("down", "--yes")
    forced = nommer("down", "--yes", "--force", "--delete-data")

    assert refused.exit_code == 1
    assert f"such as {a_job().id}" in refused.stderr
    assert forced.exit_code == 0
    assert "make  table" in nommer("up", "--dry-run").stdout


def test_down_on_nothing_makes_nothing_and_says_so(nommer: Nommer) -> None:
    done = nommer("down", "--yes")

    assert "There is nothing to do." in done.stdout
    assert "make  table" in nommer("up", "--dry-run").stdout


def test_check_ends_with_1_where_something_is_missing(nommer: Nommer) -> None:
    before = nommer("check", "--json")
    nommer("up", "--yes")
    after = nommer("check", "--json")

    assert before.exit_code == 1
    assert after.exit_code == 0
    assert all(finding["ok"] for finding in document(after))


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--feederd-from", "10.0.0.0/8"), "--with-feederd"),
        (("--with-feederd", "--feederd-from", "0.0.0.0/0"), "let everybody in"),
        (("--with-feederd", "--feederd-from", "here"), "is no network"),
    ],
)
def test_who_may_reach_feederd_is_said_with_care(
    nommer: Nommer, words: tuple[str, ...], why: str
) -> None:
    done = nommer("up", "--dry-run", *words)

    assert done.exit_code == 2
    assert why in done.stderr


def test_policies_are_printed_without_asking_anybody(
    nommer: Nommer, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")

    said = nommer("policies", "node", "--account", "111122223333")

    assert f":111122223333:{name}-high" in said.stdout
    assert json.loads(said.stdout)["Version"] == "2012-10-17"


def test_the_template_is_printed_as_json(nommer: Nommer) -> None:
    said = json.loads(nommer("template", "--with-feederd").stdout)

    assert said["AWSTemplateFormatVersion"] == "2010-09-09"
    assert "Feederd" in said["Resources"]


@pytest.mark.parametrize(
    "command", ["up", "down", "check", "image", "template", "policies"]
)
def test_every_option_of_aws_says_its_default(command: str) -> None:
    said = CliRunner().invoke(app, ["aws", command, "--help"])

    options = said.output.partition("Options:")[2].partition("Examples:")[0]
    for option in re.split(r"\n +-", options)[1:]:
        assert "Default:" in option or "--help" in option, option
