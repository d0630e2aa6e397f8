import sqlite3

import pytest
import sqlalchemy as sa
from sqlalchemy import exc

from media_nommer.adapters.sql.engine import answering
from media_nommer.core.errors import BadRequest, NommerError, ServiceUnavailable


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (exc.TimeoutError(), ServiceUnavailable),
        (exc.OperationalError("", {}, sqlite3.OperationalError("x")), ServiceUnavailable),
        (exc.InterfaceError("", {}, sqlite3.InterfaceError("x")), ServiceUnavailable),
        (exc.DataError("", {}, sqlite3.DataError("x")), BadRequest),
        (UnicodeEncodeError("utf-8", "\udcff", 0, 1, "surrogate"), BadRequest),
    ],
)
def test_an_error_of_the_database_becomes_one_of_ours(
    error: Exception, expected: type[NommerError]
) -> None:
    with pytest.raises(expected) as translated, answering():
        raise error

    assert translated.value.__cause__ is error


def test_a_mistake_in_our_own_statements_stays_what_it_is() -> None:
    engine = sa.create_engine("sqlite://")

    with (
        pytest.raises(exc.ProgrammingError),
        answering(),
        engine.connect() as db,
    ):
        db.exec_driver_sql("SELECT ?", ())

    engine.dispose()
