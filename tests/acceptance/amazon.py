"""Amazon as processes of its own: moto's server, and our SimpleDB beside it."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import boto3

from tests import aws_services
from tests.acceptance.ground import Amazon

_ROOT = Path(__file__).parents[2]


@contextmanager
def served(module: str, port: int = 0) -> Iterator[str]:
    """Run a module that prints its URL once it serves, and give that."""
    process = subprocess.Popen(
        [sys.executable, "-m", module, "--port", str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=_ROOT,
    )
    with process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.send_signal(signal.SIGTERM)


@contextmanager
def amazon() -> Iterator[Amazon]:
    """Run all of Amazon that we use."""
    with ExitStack() as stack:
        moto = stack.enter_context(served("tests.aws_services"))
        simpledb = stack.enter_context(served("media_nommer.testing.simpledb"))
        said = aws_services.settings(moto)
        session = boto3.Session(
            aws_access_key_id=said["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=said["AWS_SECRET_ACCESS_KEY"],
            region_name=said["AWS_REGION"],
        )
        yield Amazon(
            environment={**said, "AWS_ENDPOINT_URL_SIMPLEDB": simpledb},
            s3=session.client("s3", endpoint_url=moto),
            sqs=session.client("sqs", endpoint_url=moto),
        )


__all__ = ["amazon", "served"]
