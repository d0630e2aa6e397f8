"""Amazon's services on this machine, each as a process: moto, and our own SimpleDB.

moto is made for tests: what it does says how often it is asked and for what, not how fast
Amazon would answer.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.running import CommandFailed

#: Where ``python -m`` finds the tests, which know how moto is run and corrected.
CHECKOUT = Path(__file__).parents[1]
_MOTO = ("tests.aws_services", "--port", "0")
_SIMPLEDB = ("media_nommer.testing.simpledb", "--port", "0")
_STOP = 10.0


@dataclass(frozen=True, slots=True)
class Amazon:
    """Services that answer; ``environment`` is how boto3 finds them."""

    environment: Mapping[str, str]
    processes: tuple[psutil.Process, ...]

    def busy(self) -> float:
        """Return the CPU seconds that the services have used so far."""
        return sum(sum(process.cpu_times()[:2]) for process in self.processes)


@contextmanager
def amazon() -> Iterator[Amazon]:
    """Run the services, empty at first, and have this process and its children find them.

    Raises:
        CommandFailed: one of them does not start.
    """
    with ExitStack() as stack:
        server, endpoint = stack.enter_context(_server(*_MOTO))
        other, simpledb = stack.enter_context(_server(*_SIMPLEDB))
        environment = {
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ENDPOINT_URL_SIMPLEDB": simpledb,
            "AWS_ACCESS_KEY_ID": "benchmark",
            "AWS_SECRET_ACCESS_KEY": "benchmark",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }
        before = {name: os.environ.get(name) for name in environment}
        os.environ.update(environment)
        try:
            processes = (psutil.Process(server.pid), psutil.Process(other.pid))
            yield Amazon(environment, processes)
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


@contextmanager
def _server(*module: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """Run a module that prints its endpoint on its first line."""
    process = subprocess.Popen(
        [sys.executable, "-m", *module],
        cwd=CHECKOUT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None, "it is a pipe"
    try:
        endpoint = process.stdout.readline().strip()
        if not endpoint.startswith("http"):
            raise CommandFailed(f"{module[0]} did not start")
        yield process, endpoint
    finally:
        process.terminate()
        try:
            process.wait(_STOP)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
