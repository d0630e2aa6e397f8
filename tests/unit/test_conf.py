import json
import logging
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from media_nommer.conf import Settings, load_settings, settings_with_sources
from media_nommer.conf.logs import hand_over_logs, set_up_logs
from media_nommer.conf.values import (
    FOREVER,
    is_loopback,
    read_duration,
    redacted,
    written,
)
from media_nommer.core.errors import InvalidSetting

NO_FILE = {"NOMMER_CONFIG": ""}


def settings(**environ: str) -> Settings:
    named = {f"NOMMER_{name.upper()}": value for name, value in environ.items()}
    return load_settings(environ=NO_FILE | named)


def a_file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "nommer.toml"
    path.write_text(text)
    return path


def source_of(found: Settings, name: str) -> str:
    return next(src for key, _, src in settings_with_sources(found) if key == name)


def test_command_line_wins_over_environment_over_file_over_default(tmp_path: Path) -> None:
    file = a_file(tmp_path, "port = 1\nmax_nodes = 1\nlease = 1\nslots = 1")
    environ = {"NOMMER_PORT": "2", "NOMMER_MAX_NODES": "2", "NOMMER_LEASE": "2s"}

    found = load_settings({"port": 3, "max_nodes": 3}, config=file, environ=environ)

    assert (found.port, found.max_nodes) == (3, 3)
    assert found.lease == timedelta(seconds=2)
    assert found.slots == 1
    assert source_of(found, "port") == "the command line"
    assert source_of(found, "lease") == "NOMMER_LEASE"
    assert source_of(found, "slots") == str(file)
    assert source_of(found, "host") == "default"


def test_an_option_that_was_not_given_changes_nothing() -> None:
    found = load_settings({"port": None}, environ=NO_FILE | {"NOMMER_PORT": "2"})

    assert found.port == 2


def test_the_file_is_found_by_variable_then_here_then_at_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, here, named = (tmp_path / name for name in ("home", "here", "named"))
    for number, folder in enumerate((home / "media-nommer", here, named), start=1):
        folder.mkdir(parents=True)
        a_file(folder, f"port = {number}")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home))
    monkeypatch.chdir(tmp_path)
    assert load_settings(environ={}).port == 1

    monkeypatch.chdir(here)
    assert load_settings(environ={}).port == 2
    assert load_settings(environ={"NOMMER_CONFIG": f"{named}/nommer.toml"}).port == 3
    assert load_settings(environ=NO_FILE).port == 8001


def test_places_follow_from_the_data_directory(tmp_path: Path) -> None:
    data_dir = tmp_path / "with space"

    found = settings(data_dir=str(data_dir))

    assert found.store == f"sqlite:///{tmp_path}/with%20space/nommer.db"
    assert found.queue == found.store
    assert found.work == f"file://{tmp_path}/with%20space/work"
    assert found.scratch_dir == data_dir / "scratch"


def test_the_queue_is_where_the_store_is_unless_said() -> None:
    assert settings(store="postgresql://h/db").queue == "postgresql://h/db"


def test_paths_in_a_file_are_meant_from_its_folder(tmp_path: Path) -> None:
    file = a_file(tmp_path, 'data_dir = "data"\nfile_roots = ["films", "/srv"]')

    found = load_settings(config=file, environ={})

    assert found.data_dir == tmp_path / "data"
    assert found.file_roots == (tmp_path / "films", Path("/srv"))


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"lease": "0"}, ["lease", "'0'", "NOMMER_LEASE", "above zero", '"90s"']),
        ({"lease": "soon"}, ["lease", "'soon'"]),
        ({"keep_jobs_for": "ever"}, ["keep_jobs_for", "'ever'", '"5m"', '"forever"']),
        ({"job_timeout": "x"}, ["job_timeout", "NOMMER_JOB_TIMEOUT", '"5m"']),
        ({"fleet": "moon"}, ["fleet", "'moon'", "local, ec2 or none"]),
        ({"port": "99999"}, ["port", "65535"]),
        ({"machine": "moon"}, ["machine", "'moon'", "own or ec2"]),
        ({"slots": "0"}, ["slots", "a whole number from 1"]),
        ({"store": "nommer.db"}, ["store", "a URL"]),
        ({"data_dir": ""}, ["data_dir", "a path"]),
        ({"min_nodes": "2"}, ["min_nodes is 2", "max_nodes is 1"]),
        ({"scaling": "yes"}, ["scaling", "'yes'", "on or off"]),
        ({"max_hourly_cost": "-1"}, ["max_hourly_cost", "a number from 0"]),
        ({"schedule": "mondays off"}, ["schedule", "'mondays off'", '"sat,sun off"']),
        ({"schedule": "min=2"}, ["mon,tue", "min=2", "the 1 that there may be"]),
        ({"prot": "1"}, ["NOMMER_PROT", "did you mean NOMMER_PORT?", "known: data_dir"]),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_with_its_source_and_what_is_allowed(
    environ: dict[str, str], words: list[str]
) -> None:
    with pytest.raises(InvalidSetting) as caught:
        settings(**environ)

    assert all(word in caught.value.message for word in words), caught.value.message
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("prot = 1", ["nommer.toml", "prot", "did you mean port?"]),
        ("port = ", ["nommer.toml", "is not TOML"]),
        ('port = "many"', ["port", "'many'", "nommer.toml"]),
        ("[port]\na = 1", ["port", "nommer.toml"]),
    ],
)
def test_a_mistake_in_the_file_is_named(
    tmp_path: Path, text: str, words: list[str]
) -> None:
    file = a_file(tmp_path, text)

    with pytest.raises(InvalidSetting) as caught:
        load_settings(config=file, environ={})

    assert all(word in caught.value.message for word in words), caught.value.message


def test_a_file_that_was_named_and_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting, match="cannot be read"):
        load_settings(config=tmp_path / "nommer.toml", environ={})


def test_no_password_is_shown(tmp_path: Path) -> None:
    found = settings(store="postgresql://me:s3cret@db/nommer?password=s3cret")

    shown = str(settings_with_sources(found))

    assert "s3cret" not in shown
    assert "postgresql://me:***@db/nommer" in shown


def test_a_password_in_a_bad_setting_is_not_told() -> None:
    with pytest.raises(InvalidSetting) as caught:
        settings(store="POSTGRESQL://me:s3cret@db/nommer")

    assert "s3cret" not in caught.value.message


def test_another_process_gets_the_same_settings(tmp_path: Path) -> None:
    found = settings(
        data_dir=str(tmp_path),
        lease="1500ms",
        file_roots="/a:/b c",
        slots="2",
        job_timeout="90m",
        keep_jobs_for="forever",
        max_hourly_cost="1.5",
        schedule="mon-fri 08:00-18:00 Europe/Berlin max=1; off",
    )

    again = load_settings(environ=found.as_environment())

    assert dict(again) == dict(found)


def test_jobs_are_kept_for_ninety_days_or_for_ever() -> None:
    assert settings().keep_jobs_for == timedelta(days=90)
    assert settings(keep_jobs_for="forever").keep_jobs_for == FOREVER


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ({}, 60),
        ({"machine": "ec2"}, 30),
        ({"fleet": "ec2"}, 30),
        ({"fleet": "none", "machine": "own"}, 60),
        ({"machine": "ec2", "idle_timeout": "5m"}, 300),
    ],
)
def test_a_node_that_is_paid_for_is_idle_for_less_long(
    said: dict[str, str], seconds: int
) -> None:
    assert settings(**said).idle_timeout == timedelta(seconds=seconds)


def test_a_schedule_is_a_list_of_windows(tmp_path: Path) -> None:
    file = a_file(tmp_path, 'max_nodes = 9\nschedule = ["sat,sun off", "min=1 max=8"]')

    found = load_settings(config=file, environ={})
    same = settings(max_nodes="9", schedule=" sat,sun off;min=1 max=8; ")

    assert found.schedule == same.schedule
    assert [window.max_nodes for window in found.schedule] == [None, 8]
    assert settings().schedule == ()


@pytest.mark.parametrize(
    ("host", "roots", "allowed"),
    [
        ("127.0.0.1", None, (Path("/"),)),
        ("::1", None, (Path("/"),)),
        ("localhost", None, (Path("/"),)),
        ("0.0.0.0", None, ()),
        ("192.168.1.5", None, ()),
        ("0.0.0.0", "/films", (Path("/films"),)),
        ("127.0.0.1", "/films", (Path("/films"),)),
    ],
)
def test_files_are_for_those_on_this_machine_unless_roots_are_named(
    host: str, roots: str | None, allowed: tuple[Path, ...]
) -> None:
    """Rule 13."""
    said = {"host": host} | ({"file_roots": roots} if roots else {})

    assert settings(**said).allowed_roots == allowed


@pytest.mark.parametrize("host", ["127.0.0.2", "::1", "[::1]", "localhost"])
def test_these_hosts_are_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["", "0.0.0.0", "::", "example.org", "10.0.0.1"])
def test_these_hosts_are_not(host: str) -> None:
    assert not is_loopback(host)


@given(st.timedeltas(timedelta(), timedelta(days=1000)))
def test_a_time_reads_back_as_it_was_written(period: timedelta) -> None:
    milliseconds = timedelta(milliseconds=period // timedelta(milliseconds=1))

    assert read_duration(written(milliseconds)) == milliseconds


@given(st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126)))
def test_redacting_leaves_no_password(password: str) -> None:
    secret = f"x{password}x"

    text = redacted(f"cannot reach postgresql://me:{secret}@host/db now")

    assert f":{secret}@" not in text
    assert text.endswith("@host/db now")


@pytest.fixture
def _logs_as_before() -> object:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.usefixtures("_logs_as_before")
def test_logs_are_json_with_their_fields_and_without_secrets() -> None:
    out = StringIO()
    set_up_logs("info", stream=out)

    structlog.get_logger("x").info("opened", url="postgresql://me:s3cret@db/x", size=1)
    structlog.get_logger("x").debug("not_wanted")
    logging.getLogger("library").warning("beware of %s", "sqlite://a:s3cret@b/")

    first, second = map(json.loads, out.getvalue().splitlines())
    assert first["event"] == "opened"
    assert first["size"] == 1
    assert second["event"].startswith("beware")
    assert "s3cret" not in out.getvalue()


@pytest.mark.usefixtures("_logs_as_before")
def test_an_error_is_logged_with_its_traceback_in_both_styles() -> None:
    for style in ("json", "console"):
        out = StringIO()
        set_up_logs("info", style, stream=out)
        try:
            int("broken")
        except ValueError:
            structlog.get_logger("x").exception("chore_broken")

        assert "chore_broken" in out.getvalue()
        assert "ValueError: invalid literal" in out.getvalue()


@pytest.mark.usefixtures("_logs_as_before")
@pytest.mark.parametrize("style", ["json", "console"])
def test_rule_12_a_password_in_a_traceback_is_not_logged(style: str) -> None:
    out = StringIO()
    set_up_logs("info", style, stream=out)

    try:
        int("postgresql://me:s3cret@db/x")
    except ValueError:
        structlog.get_logger("x").exception("chore_broken")

    assert "postgresql://me:***@db/x" in out.getvalue()
    assert "s3cret" not in out.getvalue()


@pytest.mark.usefixtures("_logs_as_before")
def test_logs_can_be_handed_over_with_their_levels_and_without_time_or_secrets() -> None:
    lines: list[tuple[str, str]] = []
    hand_over_logs("info", "auto", lambda level, text: lines.append((level, text)))

    structlog.get_logger("x").warning("opened", url="postgresql://me:s3cret@db/x", size=1)
    structlog.get_logger("x").debug("not_wanted")
    logging.getLogger("library").critical("beware of %s", "sqlite://a:s3cret@b/")

    assert lines == [
        ("warning", "opened size=1 url=postgresql://me:***@db/x"),
        ("error", "beware of sqlite://a:***@b/"),
    ]


@pytest.mark.usefixtures("_logs_as_before")
def test_logs_that_are_handed_over_are_json_where_that_is_wanted() -> None:
    lines: list[str] = []
    hand_over_logs("debug", "json", lambda _level, text: lines.append(text))

    structlog.get_logger("x").debug("opened", size=1)

    assert [json.loads(line) for line in lines] == [{"event": "opened", "size": 1}]


def test_rule_12_a_password_does_not_show_when_settings_are_printed() -> None:
    environ = {"NOMMER_CONFIG": "", "NOMMER_STORE": "postgresql://me:s3cret@host/db"}

    settings = load_settings(environ=environ)

    assert "s3cret" not in f"{settings!r} {settings}"
