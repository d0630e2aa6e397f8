"""Amazon's services on this machine: moto's server, as boto3 finds it by its settings.

``python -m tests.aws_services --port 5005`` runs it as a process of its own, which prints
its endpoint once it answers, and the variables that ``settings`` gives on the next lines.
"""

import argparse
import logging
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache

import pytest
from botocore.loaders import create_loader
from moto.backends import list_of_moto_modules
from moto.server import ThreadedMotoServer

from tests import moto_corrections, moto_sqs

REGION = "us-east-1"


def settings(endpoint: str) -> Mapping[str, str]:
    """Return the variables by which boto3 takes ``endpoint`` for all of Amazon."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/nowhere",
        "AWS_SHARED_CREDENTIALS_FILE": "/nowhere",
    }


@contextmanager
def moto(port: int = 0) -> Iterator[str]:
    """Run moto's server in a thread, corrected, and give its endpoint."""
    moto_corrections.apply()
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
    with pytest.MonkeyPatch.context() as patch:
        moto_sqs.correct(patch)
        _be_quick(patch)
        server.start()
        try:
            host, bound = server.get_host_and_port()
            yield f"http://{host}:{bound}"
        finally:
            server.stop()


def _be_quick(patch: pytest.MonkeyPatch) -> None:
    """Do once what is else done for each request, and for each session of boto3.

    moto looks through its own folders to find a request's service, werkzeug writes a line
    of log, and a session reads the descriptions of services, EC2's being 3 MB of JSON.
    """
    modules = tuple(list_of_moto_modules())
    patch.setattr("moto.backends.list_of_moto_modules", lambda: modules)
    patch.setattr(logging.getLogger("werkzeug"), "disabled", True)
    patch.setattr("botocore.session.create_loader", cache(create_loader))


def main() -> None:
    """Serve until a signal ends it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    chosen = parser.parse_args()
    ends = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)  # whenever it comes, it is waited for
    with moto(chosen.port) as endpoint:
        print(endpoint, flush=True)  # noqa: T201 - who starts it reads this
        for name, value in settings(endpoint).items():
            print(f"{name}={value}", flush=True)  # noqa: T201
        signal.sigwait(ends)


if __name__ == "__main__":
    main()
