"""Running a contract suite on an adapter that is broken on purpose."""

import inspect
from collections.abc import Callable, Mapping

import pytest

#: Makes the fixtures that a test asks for by name; fresh ones for each test.
Fixtures = Callable[[], Mapping[str, object]]


def failures(suite: type, fixtures: Fixtures) -> set[str]:
    """Return the names of the suite's tests that an adapter does not pass.

    Tests that are parametrized, or ask for what ``fixtures`` does not make, are left out.
    """
    failed = set()
    for name, test in inspect.getmembers(suite, inspect.isfunction):
        wanted = list(inspect.signature(test).parameters)[1:]
        made = fixtures()
        if not name.startswith("test_") or not set(wanted) <= made.keys():
            continue
        try:
            test(suite(), **{key: made[key] for key in wanted})
        except (Exception, pytest.fail.Exception) as error:
            if str(error).startswith("Timeout"):
                raise  # of pytest-timeout: a test that hangs has found nothing
            failed.add(name)
    return failed
