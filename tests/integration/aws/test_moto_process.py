"""The double of Amazon as a process of its own, for daemons in other processes."""

import signal
import subprocess
import sys
from pathlib import Path

import boto3
import pytest
from tests import aws_services

_ROOT = Path(__file__).parents[3]


def test_the_double_serves_other_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.aws_services"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=_ROOT,
    )
    with process:
        try:
            assert process.stdout is not None
            endpoint = process.stdout.readline().strip()
            for name, value in aws_services.settings(endpoint).items():
                monkeypatch.setenv(name, value)

            boto3.client("s3").create_bucket(Bucket="a-bucket")
        finally:
            process.send_signal(signal.SIGTERM)

    assert process.returncode == 0
