"""Amazon's services as a process of their own: moto, corrected, and our SimpleDB.

``python -m tests.faults.services`` prints a line of JSON with their endpoints, and serves
until its standard input ends: so it does not outlive who started it.
"""

import json
import logging
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partialmethod
from pathlib import Path
from typing import Any

import pytest

from media_nommer.testing.simpledb import SimpleDbServer

_ROOT = Path(__file__).parents[2]
_dynamodb = threading.Lock()


@contextmanager
def services() -> Iterator[Mapping[str, str]]:
    """Run the services, and give their endpoints: ``aws`` and ``simpledb``."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.services"],
        cwd=_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None, "it was asked for"
    assert process.stdout is not None, "it was asked for"
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.stdin.close()
        process.wait(120)
        process.stdout.close()


def main() -> None:
    """Serve until standard input ends."""
    from moto.dynamodb.responses import DynamoHandler  # noqa: PLC0415 - slow to load

    from tests import aws_services, moto_sqs  # noqa: PLC0415

    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    moto_sqs._LOOK_EVERY = 0.1  # nine polls at once look too often else
    moto_sqs.correct(pytest.MonkeyPatch())
    handler: Any = DynamoHandler
    handler.call_action = partialmethod(_one_at_a_time, handler.call_action)
    with aws_services.moto() as endpoint, SimpleDbServer() as simpledb:
        print(json.dumps({"aws": endpoint, "simpledb": simpledb.url}), flush=True)  # noqa: T201
        sys.stdin.read()


def _one_at_a_time(self: Any, wrapped: Callable[[Any], Any]) -> Any:
    """A conditional write is atomic; moto lets others write between condition and write."""
    with _dynamodb:
        return wrapped(self)


if __name__ == "__main__":
    main()
