"""What all runs of a session share: services, the proxies before them, clips, clients."""

import shutil
import tempfile
import threading
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import boto3
import pytest
import structlog
from botocore.retries import standard

from media_nommer import wiring
from media_nommer.adapters.aws import clients as aws_clients
from media_nommer.adapters.aws.clients import AwsClients
from media_nommer.adapters.aws.s3 import copy, put, transfer, upload
from media_nommer.conf.settings import Settings
from media_nommer.core.workflow.engine import Engine
from media_nommer.wiring import amazon
from tests import aws_services
from tests.faults.clips import make_clips
from tests.faults.line import Cuts, Line
from tests.faults.proxy import Proxy
from tests.faults.seeded import Seeded
from tests.faults.services import services

CLIPS = "clips"

#: Who works in a run, each through a door of its own; threads are called by these names.
FEEDERD = "feederd"
WORKERS = ("worker-0", "worker-1", "worker-2")
ROLES = (FEEDERD, *WORKERS)

#: What waits are cut down to, in seconds: a run should meet many faults in little time.
_LONGEST_BACKOFF = 0.2
_READ_TIMEOUT = 5.0
#: What is larger goes to S3 by parts, so that the clips' outputs go both ways.
_PARTS_FROM = 24 * 1024


@dataclass(frozen=True, kw_only=True)
class Machines:
    """The services of a session, as workers reach them and as one looks at them in calm.

    ``through`` are the clients of each role; ``lines`` go to the PostgreSQL in the folder
    ``postgres``, one for each role, and are empty where there is none. ``said`` holds the
    last lines that were logged.
    """

    proxy: Proxy
    through: Mapping[str, AwsClients]
    calm: AwsClients
    clips: tuple[str, ...]
    said: deque[str]
    #: Where the services are, without anything in between.
    direct: Mapping[str, str]
    lines: Mapping[str, Line] = field(default_factory=dict)
    postgres: Path | None = None

    def begin(self, seed: int | None) -> None:
        """Let the faults of a seed begin; None for none."""
        faults, cuts = None, None
        if seed is not None:
            faults = Seeded(seed, doors=tuple(f"aws {role}" for role in WORKERS))
            cuts = Cuts(seed, lines=WORKERS)
        self.said.clear()
        self.proxy.begin(faults)
        for line in self.lines.values():
            line.begin(cuts)

    def end(self) -> None:
        """Let nothing go wrong any more."""
        self.proxy.faults = None
        for line in self.lines.values():
            line.cuts = None

    @property
    def harmed(self) -> Counter[str]:
        """What went wrong since ``begin``."""
        return sum((line.harmed for line in self.lines.values()), self.proxy.harmed)

    @contextmanager
    def in_use(self, clients: AwsClients | None = None) -> Iterator[None]:
        """Have threads that are named by a role go its way, and not wait for long.

        Where ``clients`` are given, all go by these.
        """
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                amazon,
                "aws_clients",
                lambda _region: clients or self.through[threading.current_thread().name],
            )
            hurry(patch)
            _log_to(self.said)
            try:
                yield
            finally:
                structlog.reset_defaults()

    def open_calm(self, settings: Settings, stack: ExitStack) -> Engine:
        """Return an engine that no fault meets."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(amazon, "aws_clients", lambda _region: self.calm)
            engine = stack.enter_context(wiring.open_engine(settings))
            engine.storage.check(f"s3://{CLIPS}/x")  # storages are opened when first used
        return engine

    def s3(self) -> Any:
        """Return a client of S3 that no fault meets."""
        return self.calm.client("s3", signature_version="s3v4")

    def sqs(self) -> Any:
        """Return a client of SQS that no fault meets."""
        return self.calm.client("sqs")


@contextmanager
def machines(folder: Path) -> Iterator[Machines]:
    """Start Amazon's services and the proxy before them."""
    with services() as direct:
        doors = {f"{n} {role}": url for role in ROLES for n, url in direct.items()}
        with Proxy(doors) as proxy:
            calm = clients_at(direct["aws"], direct["simpledb"], patience=250)
            yield Machines(
                proxy=proxy,
                through={
                    role: clients_at(
                        proxy.urls[f"aws {role}"], proxy.urls[f"simpledb {role}"]
                    )
                    for role in ROLES
                },
                calm=calm,
                clips=_placed(
                    calm.client("s3", signature_version="s3v4"), make_clips(folder)
                ),
                said=deque(maxlen=4000),
                direct=direct,
            )


@contextmanager
def with_postgres(amazon: Machines, postgres: Path) -> Iterator[Machines]:
    """Put lines to a PostgreSQL beside Amazon's services."""
    with ExitStack() as stack:
        lines = {}
        for role in ROLES:
            # The name of a socket must be short.
            short = tempfile.mkdtemp(prefix="line-", dir="/tmp")
            stack.callback(shutil.rmtree, short, ignore_errors=True)
            lines[role] = stack.enter_context(Line(Path(short), postgres, role))
        yield replace(amazon, lines=lines, postgres=postgres)


def clients_at(
    aws: str, simpledb: str, ec2: str | None = None, *, patience: float = _READ_TIMEOUT
) -> AwsClients:
    """Return clients, all of them made, since endpoints are read when they are."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in aws_services.settings(aws).items():
            patch.setenv(name, value)
        patch.setenv("AWS_ENDPOINT_URL_SIMPLEDB", simpledb)
        patch.setattr(aws_clients, "_READ_TIMEOUT", patience)
        clients = AwsClients(session=boto3.Session(region_name=aws_services.REGION))
        for service in ("dynamodb", "sqs", "sdb"):
            clients.client(service)
        clients.client("s3", signature_version="s3v4")
        if ec2 is not None:
            patch.setenv("AWS_ENDPOINT_URL_EC2", ec2)
            clients.client("ec2")
    return clients


def hurry(patch: pytest.MonkeyPatch) -> None:
    """Cut waits down: a run should meet many faults in little time."""
    usual = standard.ExponentialBackoff.delay_amount

    def soon(self: Any, context: Any) -> float:
        return min(float(usual(self, context)), _LONGEST_BACKOFF)

    patch.setattr(standard.ExponentialBackoff, "delay_amount", soon)
    patch.setattr(transfer, "FIRST_REST", 0.1)
    patch.setattr(transfer, "LAST_REST", 1.0)
    patch.setattr(upload, "_REST", 0.05)
    patch.setattr(put, "PART", _PARTS_FROM)
    patch.setattr(copy, "COPIED", _PARTS_FROM)


def _placed(s3: Any, clips: tuple[Path, ...]) -> tuple[str, ...]:
    s3.create_bucket(Bucket=CLIPS)
    for clip in clips:
        s3.upload_file(str(clip), CLIPS, clip.name)
    return tuple(f"s3://{CLIPS}/{clip.name}" for clip in clips)


def _log_to(said: deque[str]) -> None:
    def keep(_logger: object, _name: str, event: Any) -> Any:
        said.append(" ".join(f"{k}={v}" for k, v in event.items()))
        raise structlog.DropEvent

    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S.%f"),
            structlog.processors.format_exc_info,
            keep,
        ]
    )
