"""Fixtures that tests of several tiers share."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import postgres_server

_schemas = itertools.count(1)


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
