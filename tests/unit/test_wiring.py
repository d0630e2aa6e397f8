import subprocess
import sys
from pathlib import Path

import pytest

from media_nommer.adapters.local import LocalFleet
from media_nommer.adapters.memory import MemoryStore
from media_nommer.adapters.objects import file_url
from media_nommer.adapters.sql import SqlQueue, SqlStore
from media_nommer.conf import Settings, load_settings
from media_nommer.core.errors import InvalidSetting, PathNotAllowed, UnsupportedUrl
from media_nommer.wiring import open_engine, open_fleet, open_outside, work_policy


def settings(tmp_path: Path, **changes: object) -> Settings:
    own = {"data_dir": tmp_path / "data"}
    return load_settings(own | changes, environ={"NOMMER_CONFIG": ""})


def test_by_default_all_is_in_the_data_directory(tmp_path: Path) -> None:
    found = settings(tmp_path)

    with open_engine(found) as engine:
        assert isinstance(engine.store, SqlStore)
        assert isinstance(engine.queue, SqlQueue)
        assert engine.work_url == file_url(tmp_path / "data" / "work")
    assert (tmp_path / "data" / "nommer.db").exists()
    parts = open_fleet(found)
    assert parts is not None
    assert isinstance(parts.fleet, LocalFleet)


def test_a_data_directory_may_be_called_anything(tmp_path: Path) -> None:
    data_dir = tmp_path / "a b?c#d%20e"

    with open_engine(settings(tmp_path, data_dir=data_dir)) as engine:
        assert engine.store.nodes() == ()
    assert (data_dir / "nommer.db").exists()


def test_memory_keeps_nothing_on_disk(tmp_path: Path) -> None:
    found = settings(tmp_path, store="memory://", work="memory://work")

    with open_engine(found) as engine:
        assert isinstance(engine.store, MemoryStore)
        assert open_outside(found, engine) is engine.storage
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("name", "url", "known"),
    [
        ("store", "redis://host", "sqlite://, postgresql://, dynamodb://, simpledb://"),
        ("store", "sqs://name", "sqlite://, postgresql://, dynamodb://, simpledb://"),
        ("queue", "dynamodb://table", "sqlite://, postgresql://, sqs://"),
        ("work", "ftp://host/folder", "file://, s3://, gs://, az://, memory://"),
    ],
)
def test_a_url_that_nobody_serves_is_told_with_those_that_are_served(
    tmp_path: Path, name: str, url: str, known: str
) -> None:
    found = settings(tmp_path, **{name: url})

    with pytest.raises(InvalidSetting) as caught, open_engine(found):
        pass

    assert f"{name} is '{url}'" in caught.value.message
    assert known in caught.value.message


def test_callers_reach_the_roots_and_not_the_work_area(tmp_path: Path) -> None:
    """Rule 13."""
    films = tmp_path / "films"
    found = settings(tmp_path, file_roots=[films])

    with open_engine(found) as engine:
        outside = open_outside(found, engine)
        assert outside.stat(file_url(films / "x")) is None
        for path in (tmp_path / "data" / "work" / "x", Path("/etc/passwd")):
            with pytest.raises(PathNotAllowed):
                outside.stat(file_url(path))
        assert engine.storage.stat(f"{engine.work_url}/x") is None
        with pytest.raises(UnsupportedUrl):
            outside.stat("ftp://x/y")


def test_a_server_for_others_touches_no_files(tmp_path: Path) -> None:
    """Rule 13."""
    found = settings(tmp_path, host="0.0.0.0")

    with open_engine(found) as engine, pytest.raises(PathNotAllowed):
        open_outside(found, engine).stat(file_url(tmp_path / "x"))


def test_no_fleet_is_no_fleet(tmp_path: Path) -> None:
    assert open_fleet(settings(tmp_path, fleet="none")) is None


def test_the_limits_on_work_are_those_of_the_settings(tmp_path: Path) -> None:
    policy = work_policy(settings(tmp_path, lease="5s", max_attempts=7, backoff="1m"))

    assert policy.lease.total_seconds() == 5
    assert policy.max_attempts == 7
    assert policy.backoff.total_seconds() == 60


def test_a_worker_on_sqlite_and_files_loads_nothing_of_the_others(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from media_nommer.conf import load_settings\n"
        "from media_nommer.wiring import ciphers, open_engine\n"
        "with open_engine(load_settings({'data_dir': sys.argv[1]}, environ={})):\n"
        "    ciphers.open_cipher(), ciphers.passing_sealer()\n"
        "others = {'boto3', 'obstore', 'httpx2', 'httpcore2', 'psycopg', 'alembic',\n"
        "          'cryptography'}\n"
        "assert not others & set(sys.modules), others & set(sys.modules)\n"
    )
    for _ in range(2):  # the first one makes the tables, which takes Alembic
        done = subprocess.run([sys.executable, "-c", program, tmp_path / "data"])

    assert done.returncode == 0


def test_without_a_region_it_is_said_which_setting_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")

    with (
        pytest.raises(InvalidSetting) as caught,
        open_engine(settings(tmp_path, store="dynamodb://table")) as engine,
    ):
        engine.store.nodes()

    assert "aws_region" in caught.value.advice
