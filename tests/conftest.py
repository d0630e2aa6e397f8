"""Fixtures that tests of several tiers share."""

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests import aws_services, postgres_server

_schemas = itertools.count(1)

#: What starts daemons, machines and browsers. CI's machine has other work too, and may keep
#: any of them waiting at any point: a test there has a second go, and the summary names it.
_REAL = ("acceptance", "browser", "contract", "faults", "integration", "pocket")

#: No test asserts a time, and a busy machine is no fault.
_patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
#: A sample is the same each time: what a change has broken is told from what it found by
#: chance. Soaks look elsewhere each time.
settings.register_profile("sample", _patient, max_examples=40, derandomize=True)
settings.register_profile("soak", _patient, max_examples=1000)
settings.load_profile("soak" if os.environ.get("NOMMER_SOAK") else "sample")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give tests of real processes a second go, in CI alone."""
    if os.environ.get("CI") != "true":
        return
    here = Path(__file__).parent
    for item in items:
        if item.path.relative_to(here).parts[0] in _REAL:
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(scope="session")
def postgres() -> Iterator[Path]:
    """The folder of a PostgreSQL server that this session alone uses."""
    with postgres_server.server() as folder:
        yield folder


@pytest.fixture
def postgres_url(postgres: Path) -> Callable[[], str]:
    """Makes the URL of a new and empty PostgreSQL schema."""
    psycopg = pytest.importorskip("psycopg")

    def new() -> str:
        schema = f"test_{next(_schemas)}"
        with psycopg.connect(postgres_server.url_of(postgres), autocommit=True) as db:
            db.execute(f"CREATE SCHEMA {schema}")
        return postgres_server.url_of(postgres, schema)

    return new


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    """The endpoint of a server that is Amazon for this session alone."""
    with aws_services.moto() as endpoint:
        yield endpoint


@pytest.fixture
def aws(moto: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Makes boto3 take moto's server for Amazon; gives its endpoint."""
    for name, value in aws_services.settings(moto).items():
        monkeypatch.setenv(name, value)
    return moto
