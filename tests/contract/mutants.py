"""Running a contract suite on an adapter that is broken on purpose."""

import inspect
from collections.abc import Callable, Iterator, Mapping

import pytest

#: Makes the fixtures that a test asks for by name; fresh ones for each test.
Fixtures = Callable[[], Mapping[str, object]]


def failures(suite: type, fixtures: Fixtures) -> set[str]:
    """Return the names of the suite's tests that an adapter does not pass.

    Tests that are parametrized, or ask for what ``fixtures`` does not make, are left out.
    """
    return set(_failing(suite, fixtures))


def is_found(suite: type, fixtures: Fixtures) -> bool:
    """Return whether any test of the suite finds an adapter broken."""
    return any(_failing(suite, fixtures))


def _failing(suite: type, fixtures: Fixtures) -> Iterator[str]:
    for name, test in inspect.getmembers(suite, inspect.isfunction):
        if not name.startswith("test_"):
            continue
        wanted = list(inspect.signature(test).parameters)[1:]
        made = fixtures()
        if not set(wanted) <= made.keys():
            continue
        try:
            test(suite(), **{key: made[key] for key in wanted})
        except (Exception, pytest.fail.Exception) as error:
            if str(error).startswith("Timeout"):
                raise  # of pytest-timeout: a test that hangs has found nothing
            yield name
