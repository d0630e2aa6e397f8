"""What there is to set, with its default and what it may be."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, model_validator
from typing_extensions import override

from media_nommer.conf.values import (
    Allowed,
    Duration,
    Folder,
    Folders,
    Lasting,
    Pairs,
    PositiveDuration,
    Prices,
    Schedule,
    Size,
    Words,
    is_loopback,
    read_path,
    redacted,
    written,
)

#: x264 gains from threads up to about this many at 1080p, and a slot more costs memory.
CORES_A_SLOT = 4

Count = Annotated[int, Field(ge=1, le=10_000), Allowed("a whole number from 1")]
CountOrNone = Annotated[int, Field(ge=0, le=10_000), Allowed("a whole number from 0")]
Name = Annotated[
    str,
    Field(pattern=r"^[a-z][a-z0-9-]{0,30}[a-z0-9]$"),
    Allowed("a name of 2 to 32 small letters, digits and hyphens, a letter first"),
]
Url = Annotated[str, Field(pattern=r"^[a-z][a-z0-9+.-]*://"), Allowed("a URL")]


class Settings(BaseModel):
    """Every setting, read and checked; ``sources`` says where each came from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    data_dir: Folder
    store: Url
    queue: Url
    work: Url
    scratch_dir: Folder
    fleet: Annotated[Literal["local", "ec2", "none"], Allowed("local, ec2 or none")] = (
        "local"
    )
    host: Annotated[str, Field(min_length=1), Allowed("a host name or address")] = (
        "127.0.0.1"
    )
    port: Annotated[int, Field(ge=0, le=65535), Allowed("a port from 0 to 65535")] = 8001
    min_nodes: CountOrNone = 0
    max_nodes: CountOrNone = 1
    scaling: Annotated[Literal["on", "off"], Allowed("on or off")] = "on"
    max_hourly_cost: (
        Annotated[float, Field(ge=0, allow_inf_nan=False), Allowed("a number from 0")]
        | None
    ) = None
    jobs_per_node: Count | None = None
    overflow_threshold: CountOrNone = 0
    schedule: Schedule = ()
    slots: Count | None = None
    idle_timeout: Duration
    drain_timeout: Duration = Field(default="30s", validate_default=True)
    lease: PositiveDuration
    max_attempts: Count = 3
    max_lost: Count = 3
    backoff: Duration = Field(default="5s", validate_default=True)
    put_again_after: PositiveDuration = Field(default="2m", validate_default=True)
    stall_timeout: PositiveDuration = Field(default="5m", validate_default=True)
    encoder_timeout: PositiveDuration = Field(default="24h", validate_default=True)
    encoder_memory: Size | None = None
    job_timeout: PositiveDuration | None = None
    royalty_free: Annotated[bool, Allowed("true or false")] = False
    ffmpeg: Annotated[str, Field(min_length=1), Allowed("a path")] | None = None
    file_roots: Folders | None = None
    sealing_key: (
        Annotated[
            str,
            Field(pattern=r"^(file:///.+|ssm://[A-Za-z0-9_./-]+)$"),
            Allowed("file:///PATH or ssm://NAME"),
        ]
        | None
    ) = None
    aws_region: Annotated[str, Field(min_length=1), Allowed("a region")] | None = None
    s3_endpoint: (
        Annotated[str, Field(pattern=r"^https?://"), Allowed("an http:// or https:// URL")]
        | None
    ) = None
    s3_roles: Pairs = Field(default="", validate_default=True)
    s3_sources: Words = Field(default="", validate_default=True)
    s3_destinations: Words = Field(default="", validate_default=True)
    installation: Name = "nommer"
    instance_types: Words = ("c7i.xlarge", "c7a.xlarge", "c6i.xlarge", "c6a.xlarge")
    instance_prices: Prices = Field(default="", validate_default=True)
    market: Annotated[
        Literal["spot", "spot-only", "on-demand"], Allowed("spot, spot-only or on-demand")
    ] = "spot"
    machine: Annotated[Literal["own", "ec2"], Allowed("own or ec2")] = "own"
    image: Annotated[str, Field(min_length=1), Allowed("an image")] = "debian-12"
    volume_size: Size = Field(default="40GiB", validate_default=True)
    subnets: Words = Field(default="", validate_default=True)
    private_networks: Annotated[bool, Allowed("true or false")] | None = None
    max_source_size: Size = Field(default="1TiB", validate_default=True)
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        Allowed("debug, info, warning or error"),
    ] = "info"
    log_format: Annotated[
        Literal["auto", "console", "json"], Allowed("auto, console or json")
    ] = "auto"
    keep_logs_for: PositiveDuration = Field(default="30d", validate_default=True)
    keep_jobs_for: Lasting = Field(default="90d", validate_default=True)

    _sources: Mapping[str, str] = PrivateAttr(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, data: Any) -> Any:
        """Fill in the places that follow from ``data_dir``."""
        values = dict(data)
        folder = values.get("data_dir") or default_data_dir()
        try:
            data_dir = read_path(folder)
        except ValueError:
            return values  # its own validator says what is wrong
        place = quote(str(data_dir))
        store = values.get("store") or f"sqlite:///{place}/nommer.db"
        places = {
            "data_dir": folder,
            "store": store,
            "queue": _queue_beside(str(store)),
            "work": f"file://{place}/work",
            "scratch_dir": f"{data_dir}/scratch",
        }
        filled = places | values
        slow = _costs_by_the_call(str(filled["store"]), str(filled["queue"]))
        on_ec2 = "ec2" in (values.get("fleet"), values.get("machine"))
        times = {
            "lease": "60s" if slow else "30s",
            "idle_timeout": "30s" if on_ec2 else "60s",
        }
        return times | filled

    @override
    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """Leave passwords out of what a log or a traceback may show."""
        for name, value in self:
            yield name, redacted(value) if isinstance(value, str) else value

    @property
    def sources(self) -> Mapping[str, str]:
        """Where each setting came from, by its name; a default is not among them."""
        return self._sources

    @property
    def loopback(self) -> bool:
        """Whether feederd can be reached from this machine alone."""
        return is_loopback(self.host)

    @property
    def allowed_roots(self) -> tuple[Path, ...]:
        """The folders that jobs may read from and write to (rule 13)."""
        if self.file_roots is not None:
            return self.file_roots
        return (Path("/"),) if self.loopback else ()

    @property
    def costs_by_the_call(self) -> bool:
        """Whether the store or the queue is one that every look at it is paid for."""
        return _costs_by_the_call(self.store, self.queue)

    @property
    def reads_private_networks(self) -> bool:
        """Whether sources may be fetched from loopback and private addresses."""
        return self.loopback if self.private_networks is None else self.private_networks

    @property
    def slots_in_force(self) -> int:
        """How many tasks a worker on this machine works on at once.

        One for every four cores: below that a second encode takes from the first what it
        gains, at twice the memory; above it x264 leaves cores idle.
        """
        return self.slots or max(1, cores() // CORES_A_SLOT)

    def as_environment(self) -> dict[str, str]:
        """Return the variables by which another process gets the very same settings.

        They carry what the URLs carry: give them to a child, never to a log.
        """
        said = {
            f"NOMMER_{name.upper()}": written(value)
            for name, value in self
            if value is not None
        }
        return said | {"NOMMER_CONFIG": ""}


def _costs_by_the_call(*urls: str) -> bool:
    return any(url.startswith(("dynamodb://", "simpledb://", "sqs://")) for url in urls)


def _queue_beside(store: str) -> str:
    """Return the queue that goes with a store: itself, or on AWS the one of its name."""
    scheme, mark, place = store.partition("://")
    return f"sqs://{place}" if scheme in {"dynamodb", "simpledb"} and mark else store


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0))


def memory() -> int:
    """Return how many bytes of memory there are: the machine's, or its control group's."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        group = int(Path("/sys/fs/cgroup/memory.max").read_text())
    except (OSError, ValueError):  # no such group, or one without a limit
        return machine
    return min(machine, group)


def default_data_dir() -> Path:
    """Return where the embedded store, the work area and the logs are, unless said."""
    import platformdirs  # noqa: PLC0415 - only needed where nothing is set

    return Path(platformdirs.user_data_dir("media-nommer"))
