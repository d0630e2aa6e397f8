"""The one place that knows which adapter serves which URL, and puts the parts together.

Adapters are imported where they are used: a worker on SQLite loads nothing else.
"""

import hashlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from media_nommer.conf.settings import CORES_A_SLOT, Settings, cores, memory
from media_nommer.conf.values import FOREVER, redacted
from media_nommer.core.clock import Clock, system_clock
from media_nommer.core.errors import InvalidSetting
from media_nommer.core.ports.queue import TaskQueue
from media_nommer.core.ports.storage import Storage
from media_nommer.core.ports.store import JobStore
from media_nommer.core.workflow.engine import Engine, WorkPolicy

if TYPE_CHECKING:
    from media_nommer.adapters.aws.clients import AwsClients
    from media_nommer.adapters.aws.setup import (
        Architecture,
        Bundle,
        Installation,
        Purpose,
    )
    from media_nommer.adapters.ffmpeg.launcher import Launcher
    from media_nommer.adapters.ffmpeg.process import Limits
    from media_nommer.core.ports.cipher import SegmentCipher
    from media_nommer.core.ports.encoder import Encoder
    from media_nommer.core.ports.fleet import Fleet
    from media_nommer.core.ports.sealer import Sealer
    from media_nommer.core.ports.surroundings import Surroundings
    from media_nommer.ec2nommerd.nommers.base import Nommers
    from media_nommer.ec2nommerd.nommers.fetching import Kit
    from media_nommer.ec2nommerd.scratch import Scratch
    from media_nommer.feederd.janitor import JanitorPolicy
    from media_nommer.feederd.scaler import Offer

_SQL = ("sqlite", "postgresql")
_STORES = (*_SQL, "dynamodb", "simpledb", "memory")
_QUEUES = (*_SQL, "sqs", "memory")
_STORAGES = ("file", "s3", "gs", "az", "memory")

#: What processes of one machine share, and no others.
_NEAR = ("sqlite", "memory")

#: Address space without which an encoder of large pictures does not even start.
_LEAST_MEMORY = 4 * 2**30

#: So many of an output's files are moved at a time: segments are small and far away.
FILES_AT_ONCE = 8

#: Old jobs go to the archive first; DynamoDB itself removes what no feederd came for.
_TIME_TO_ARCHIVE = timedelta(days=30)

#: The folder below `scratch_dir` that holds nothing but workers' scratch space.
_SCRATCH = "nommer-scratch"


@contextmanager
def open_engine(
    settings: Settings, *, clock: Clock = system_clock, scratch: Path | None = None
) -> Iterator[Engine]:
    """Open the store, the queue and the storages that the settings name.

    What is published from one storage to another passes ``scratch``, where that is given.

    Raises:
        InvalidSetting: no adapter serves one of them.
        ServiceUnavailable: one of them does not answer.
    """
    with ExitStack() as stack:
        opened = _Opened(settings, stack)
        yield Engine(
            store=_open_store(settings, opened),
            queue=_open_queue(settings, clock, opened, stack),
            storage=_open_storage(settings, work_too=True, scratch=scratch),
            work_url=settings.work.rstrip("/"),
            clock=clock,
            sealer=_open_sealer(settings),
            at_once=FILES_AT_ONCE,
        )


def _open_sealer(settings: Settings) -> "Sealer | None":
    """Return what seals secrets, None where nothing does.

    Machines of EC2 get no files from here, so nothing is sealed for them.
    """
    if settings.sealing_key_file is None or settings.fleet == "ec2":
        return None
    try:
        from media_nommer.adapters.crypto import AesSealer, read_key
    except ModuleNotFoundError as error:
        raise InvalidSetting(
            "sealing_key_file needs a part that is not installed",
            advice="pip install 'media-nommer[drm]'",
        ) from error
    return AesSealer(read_key(settings.sealing_key_file))


def passing_sealer() -> "Sealer | None":
    """Return a sealer whose key is nowhere else, None where nothing seals."""
    try:
        from media_nommer.adapters.crypto import AesSealer
    except ModuleNotFoundError:
        return None
    return AesSealer(os.urandom(32))


def _packager(settings: Settings, launcher: "Launcher") -> "Encoder | None":
    from media_nommer.adapters.ffmpeg.packager import ShakaPackager, find_packager

    program = find_packager()
    if program is None:
        return None
    return ShakaPackager(launcher, program, limits=encoder_limits(settings))


def _cipher() -> "SegmentCipher | None":
    try:
        from media_nommer.adapters.crypto import AesSegmentCipher
    except ModuleNotFoundError:
        return None
    return AesSegmentCipher()


def open_outside(settings: Settings, engine: Engine) -> Storage:
    """Return the storage as far as callers may reach into it (rule 13)."""
    if _scheme(settings.work) == "memory":
        return engine.storage  # its objects are nowhere else
    return _open_storage(settings, work_too=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetParts:
    """The fleet that feederd starts nodes on, and what there is to know of its nodes.

    ``offer`` tells which kinds of node can be had, ``patience`` how long they may take for
    what they do, and ``look_every`` how often the fleet may be asked at most.
    """

    fleet: "Fleet"
    offer: "Offer"
    patience: "JanitorPolicy"
    look_every: timedelta


def open_fleet(settings: Settings) -> FleetParts | None:
    """Return the fleet that feederd starts nodes on, None where it starts none.

    Raises:
        InvalidSetting: its nodes could not reach the store, the queue or the work area.
    """
    if settings.fleet == "none":
        return None
    return _ec2_fleet(settings) if settings.fleet == "ec2" else _local_fleet(settings)


def _local_fleet(settings: Settings) -> FleetParts:
    from media_nommer.adapters.local import LocalFleet
    from media_nommer.feederd.janitor import JanitorPolicy
    from media_nommer.planning.scaling import NodeKind

    kinds = [NodeKind(name="local", slots=settings.slots_in_force)]
    return FleetParts(
        fleet=LocalFleet(
            settings.data_dir,
            [sys.executable, "-m", "media_nommer.daemons.ec2nommerd"],
            _environment(settings),
        ),
        offer=lambda: kinds,
        patience=JanitorPolicy(),
        look_every=timedelta(seconds=1),
    )


def _ec2_fleet(settings: Settings) -> FleetParts:
    for name, near in (("store", _NEAR), ("queue", _NEAR), ("work", (*_NEAR, "file"))):
        _check_reach(settings, name, near)
    clients = _aws_clients(settings.aws_region)
    from media_nommer.adapters.aws import ec2
    from media_nommer.core.nodes import Market
    from media_nommer.feederd.janitor import JanitorPolicy

    markets = {
        "spot": (Market.SPOT, Market.ON_DEMAND),
        "spot-only": (Market.SPOT,),
        "on-demand": (Market.ON_DEMAND,),
    }[settings.market]
    hiring = ec2.Hiring(
        installation=settings.installation,
        store=hashlib.sha256(redacted(settings.store).encode()).hexdigest()[:16],
        types=settings.instance_types,
        markets=markets,
        subnets=settings.subnets,
    )
    types = ec2.InstanceTypes(clients)
    prices = ec2.Prices(clients, settings.instance_types, dict(settings.instance_prices))
    return FleetParts(
        fleet=ec2.Ec2Fleet(clients, hiring, types, prices),
        offer=ec2.Ec2Offer(
            types,
            prices,
            names=settings.instance_types,
            markets=markets,
            cores_a_slot=CORES_A_SLOT,
            slots=settings.slots,
            idle=settings.idle_timeout,
            must_know_prices=settings.max_hourly_cost is not None,
        ),
        patience=JanitorPolicy(
            appears_within=timedelta(minutes=2),
            reports_within=timedelta(minutes=10),
            missed_for=timedelta(minutes=1),
        ),
        look_every=timedelta(seconds=5),
    )


def _check_reach(settings: Settings, name: str, near: tuple[str, ...]) -> None:
    """Check that another machine can reach what a setting names."""
    url: str = getattr(settings, name)
    if _scheme(url) in near:
        raise InvalidSetting(
            f"{name} is {redacted(url)!r}, which machines of EC2 cannot reach",
            advice=f"With `fleet` ec2, let `{name}` be what all machines share; "
            "docs/engines.md has what there is.",
        )


def open_surroundings(settings: Settings) -> "Surroundings":
    """Return what tells a worker of the machine that it runs on.

    Raises:
        InvalidSetting: the environment names a metadata service that there cannot be.
    """
    if settings.machine == "own":
        from media_nommer.adapters.memory.surroundings import MemorySurroundings

        return MemorySurroundings()
    from media_nommer.adapters.aws import metadata

    endpoint = os.environ.get(metadata.ENDPOINT_VARIABLE) or metadata.ENDPOINT
    return metadata.Ec2Surroundings(endpoint)


def open_work_area(settings: Settings) -> Storage:
    """Return the storage of the work area alone, without the store and the queue.

    Raises:
        InvalidSetting: no adapter serves it.
    """
    return _open_storage(settings, work_too=True)


def check_encoder(settings: Settings) -> None:
    """Check that the FFmpeg of the settings runs on this machine.

    Raises:
        EncoderMissing: it does not.
    """
    from media_nommer.adapters.ffmpeg.binary import find_ffmpeg, version_of

    version_of(find_ffmpeg(settings.ffmpeg))


def work_policy(settings: Settings) -> WorkPolicy:
    """Return the limits on how work is tried."""
    return WorkPolicy(
        lease=settings.lease,
        max_attempts=settings.max_attempts,
        max_lost=settings.max_lost,
        backoff=settings.backoff,
        put_again_after=settings.put_again_after,
    )


def scratch_folder(settings: Settings, owner: str) -> Path:
    """Return where the scratch space of a worker is, while it has any."""
    return settings.scratch_dir / _SCRATCH / owner


def open_scratch(settings: Settings, owner: str) -> "Scratch":
    """Return the scratch space of a worker, in a folder of our own below `scratch_dir`.

    What Scratch finds beside its folder, held by nobody, it takes for a dead worker's.
    """
    from media_nommer.ec2nommerd.scratch import Scratch

    return Scratch(settings.scratch_dir / _SCRATCH, owner)


@contextmanager
def worker_kit(settings: Settings, scratch: "Scratch", slots: int) -> Iterator["Kit"]:
    """Open what nommers work with; ``scratch`` is entered, and still empty.

    Raises:
        EncoderMissing: there is no usable FFmpeg.
    """
    from media_nommer.adapters.ffmpeg.binary import find_ffmpeg
    from media_nommer.adapters.ffmpeg.encoder import FfmpegEncoder
    from media_nommer.adapters.ffmpeg.launcher import Launcher
    from media_nommer.adapters.ffmpeg.probe import AvProbe
    from media_nommer.ec2nommerd.nommers.fetching import Kit
    from media_nommer.planning.tasks import Policy, threads_for

    ffmpeg = find_ffmpeg(settings.ffmpeg)
    with Launcher(scratch.folder) as launcher, AvProbe(launcher) as probe:
        yield Kit(
            probe=probe,
            encoder=FfmpegEncoder(
                launcher,
                ffmpeg,
                limits=encoder_limits(settings),
                stall_after=settings.stall_timeout,
            ),
            check_room=scratch.check_room,
            threads=threads_for(slots, cores()),
            cutting=Policy(nodes=settings.max_nodes),
            cipher=_cipher(),
            packager=_packager(settings, launcher),
        )


def encoder_limits(settings: Settings) -> "Limits":
    """Return what one encoder may use, whatever its source makes it do (rule 11).

    Memory is counted as address space, which is more than what is used of it: by default
    all that the machine has, and 4 GiB on a small one.
    """
    from media_nommer.adapters.ffmpeg.process import Limits

    return Limits(
        memory=settings.encoder_memory or max(memory(), _LEAST_MEMORY),
        wall=settings.encoder_timeout,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerParts:
    """What a worker works with: a nommer for each kind of task, and scratch space."""

    nommers: "Nommers"
    scratch: "Scratch"


@contextmanager
def worker_parts(settings: Settings, owner: str) -> Iterator[WorkerParts]:
    """Open what the worker called ``owner`` needs to encode; nothing of it is left after.

    Raises:
        EncoderMissing: there is no usable FFmpeg.
    """
    from media_nommer.ec2nommerd.nommers.media import shipped_nommers

    with (
        open_scratch(settings, owner) as scratch,
        worker_kit(settings, scratch, settings.slots_in_force) as kit,
    ):
        yield WorkerParts(nommers=shipped_nommers(kit), scratch=scratch)


@dataclass(frozen=True, slots=True)
class FeederdOnEc2:
    """That feederd is to have a machine, of which type, and who may reach it directly."""

    machine_type: str
    cidr: str | None = None


def aws_installation(
    settings: Settings, *, feederd: FeederdOnEc2 | None = None
) -> "Installation":
    """Return the installation on AWS that the settings describe; nothing is called yet.

    Raises:
        InvalidSetting: the store, the queue or the work area is none of Amazon's.
    """
    clients = _aws_clients(settings.aws_region)
    from media_nommer.adapters.aws.setup import FeederdWish, Installation, Wish

    endpoints = {k: v for k, v in os.environ.items() if k.startswith("AWS_ENDPOINT_URL")}
    servers = [*endpoints.values(), *filter(None, [settings.s3_endpoint])]
    wish = Wish(
        installation=settings.installation,
        store=_said_place(settings, "store", ("dynamodb", "simpledb")),
        queue=_said_place(settings, "queue", ("sqs",)),
        work=_said_place(settings, "work", ("s3",)),
        sources=settings.s3_sources,
        destinations=settings.s3_destinations,
        roles=tuple(role for _, role in settings.s3_roles),
        instance_types=settings.instance_types,
        spot=settings.market != "on-demand",
        image=settings.image,
        subnets=settings.subnets,
        volume_size=settings.volume_size,
        keep_logs_for=settings.keep_logs_for,
        endpoints=servers,
        environment=endpoints,
        tell=lambda purpose, places: _told(settings, purpose, places, feederd),
        feederd=FeederdWish(feederd.machine_type, feederd.cidr) if feederd else None,
    )
    return Installation(clients, wish, lambda each: _bundle(settings, each))


def _said_place(settings: Settings, name: str, known: tuple[str, ...]) -> str | None:
    """Return where somebody said that a part is; Amazon's have names that follow, else."""
    if name not in settings.sources:
        return None
    _check(settings, name, known)
    return str(getattr(settings, name))


def _told(
    settings: Settings,
    purpose: "Purpose",
    places: Mapping[str, str],
    feederd: FeederdOnEc2 | None,
) -> str:
    """Return the settings file of a machine."""
    from media_nommer.adapters.aws.setup import STATE, Purpose
    from media_nommer.conf.machines import feederd_settings, settings_text, worker_settings

    if purpose is Purpose.FEEDERD:
        host = "0.0.0.0" if feederd and feederd.cidr else "127.0.0.1"
        return settings_text(feederd_settings(settings, places, STATE, host))
    return settings_text(worker_settings(settings, places, STATE))


def _bundle(settings: Settings, architecture: "Architecture") -> "Bundle":
    """Return what machines of an architecture install: what is installed here."""
    from media_nommer.adapters.aws.setup import bundle_of
    from media_nommer.adapters.local.wheels import Target, gather_wheels

    target = Target(machine=architecture.machine)
    wheels = gather_wheels(target, settings.data_dir / "bundles")
    return bundle_of(wheels, architecture=architecture, python=target.python)


class _Opened:
    """What is opened once, however many ports are served from it."""

    def __init__(self, settings: Settings, stack: ExitStack) -> None:
        self._region = settings.aws_region
        self._stack = stack
        self._databases: dict[str, Any] = {}

    def database(self, url: str) -> Any:
        """Return an SQL database."""
        if url not in self._databases:
            from media_nommer.adapters.sql import open_engine

            engine = self._databases[url] = open_engine(url)
            self._stack.callback(engine.dispose)
        return self._databases[url]

    @cached_property
    def aws(self) -> "AwsClients":
        """The clients of Amazon's services.

        Raises:
            InvalidSetting: the part that speaks to them is not installed.
        """
        return _aws_clients(self._region)


def _aws_clients(region: str | None) -> "AwsClients":
    try:
        from media_nommer.adapters.aws.clients import AwsClients
    except ModuleNotFoundError as error:
        raise InvalidSetting(
            "Amazon's services need a part that is not installed",
            advice="pip install 'media-nommer[aws]'",
        ) from error
    return AwsClients(region)


def _open_store(settings: Settings, opened: _Opened) -> JobStore:
    url = settings.store
    _check(settings, "store", _STORES)
    if _scheme(url) in _SQL:
        from media_nommer.adapters.sql import SqlStore

        return SqlStore(opened.database(url))
    if _scheme(url) == "dynamodb":
        clients = opened.aws
        from media_nommer.adapters.aws.dynamodb import DynamoStore, create_table

        create_table(clients, _place(url))
        forever = settings.keep_jobs_for == FOREVER
        kept = None if forever else settings.keep_jobs_for + _TIME_TO_ARCHIVE
        return DynamoStore(clients, _place(url), keep_jobs_for=kept)
    if _scheme(url) == "simpledb":
        clients = opened.aws
        from media_nommer.adapters.aws.simpledb import SimpleDbStore, create_domain

        create_domain(clients, _place(url))
        return SimpleDbStore(clients, _place(url))
    from media_nommer.adapters.memory import MemoryStore

    return MemoryStore()


def _open_queue(
    settings: Settings, clock: Clock, opened: _Opened, stack: ExitStack
) -> TaskQueue:
    url = settings.queue
    _check(settings, "queue", _QUEUES)
    if _scheme(url) in _SQL:
        from media_nommer.adapters.sql import SqlQueue

        listening = SqlQueue(opened.database(url))
        stack.callback(listening.close)
        return listening
    if _scheme(url) == "sqs":
        clients = opened.aws
        from media_nommer.adapters.aws.sqs import SqsQueue

        polling = SqsQueue(clients, _place(url), clock)
        stack.callback(polling.close)
        return polling
    from media_nommer.adapters.memory import MemoryQueue

    return MemoryQueue(clock)


def open_storage(
    settings: Settings,
    *,
    roots: Sequence[Path] | None,
    own: Sequence[Path] = (),
    scratch: Path | None = None,
) -> Storage:
    """Return the storages that can be used, each opened when it is first needed.

    Files are touched below ``roots`` only (None for everywhere), and moved rather than
    copied out of ``own``. What goes from one storage to another passes ``scratch``.
    """
    from media_nommer.adapters.objects import FileStorage, RoutedStorage

    web = cache(lambda: _web_storage(settings))
    cloud = cache(lambda: _cloud_storage(scratch))
    storages: dict[str, Callable[[], Storage]] = {
        "file": lambda: FileStorage(roots, own=own),
        "http": web,
        "https": web,
        "s3": lambda: _s3_storage(settings, scratch),
        "gs": cloud,
        "az": cloud,
    }
    if _scheme(settings.work) == "memory":
        from media_nommer.adapters.memory import MemoryStorage

        storages["memory"] = MemoryStorage
    return RoutedStorage(storages, scratch=scratch)


def _open_storage(
    settings: Settings, *, work_too: bool, scratch: Path | None = None
) -> Storage:
    from media_nommer.adapters.objects import path_of

    _check(settings, "work", _STORAGES)
    at_home = _scheme(settings.work) == "file" and work_too
    own = (path_of(settings.work),) if at_home else ()
    everything = Path("/") in settings.allowed_roots
    roots = None if everything else (*settings.allowed_roots, *own)
    return open_storage(settings, roots=roots, own=own, scratch=scratch)


def _web_storage(settings: Settings) -> Storage:
    from media_nommer.adapters.http import HttpStorage

    return HttpStorage(
        private_networks=settings.reads_private_networks,
        max_bytes=settings.max_source_size,
    )


def _s3_storage(settings: Settings, scratch: Path | None) -> Storage:
    clients = _aws_clients(settings.aws_region)
    from media_nommer.adapters.aws.s3 import S3Storage

    return S3Storage(
        clients,
        endpoint=settings.s3_endpoint,
        roles=dict(settings.s3_roles),
        scratch=scratch,
    )


def _cloud_storage(scratch: Path | None) -> Storage:
    try:
        from media_nommer.adapters.objects.cloud import CloudStorage
    except ModuleNotFoundError as error:
        raise InvalidSetting(
            "gs:// and az:// need a part that is not installed",
            advice="pip install 'media-nommer[cloud]'",
        ) from error
    return CloudStorage(scratch=scratch)


def _environment(settings: Settings) -> Mapping[str, str]:
    """Return a worker's environment: ours, with the settings in force here for its own."""
    others = {k: v for k, v in os.environ.items() if not k.startswith("NOMMER_")}
    return others | settings.as_environment()


def _check(settings: Settings, name: str, known: tuple[str, ...]) -> None:
    url: str = getattr(settings, name)
    if _scheme(url) not in known:
        allowed = ", ".join(f"{scheme}://" for scheme in known)
        source = settings.sources.get(name, "default")
        raise InvalidSetting(
            f"{name} is {redacted(url)!r} (from {source}); allowed: URLs with {allowed}"
        )


def _place(url: str) -> str:
    """Return what follows the scheme: the name of a table, a domain, a queue."""
    return url.partition("://")[2].strip("/")


def _scheme(url: str) -> str:
    return url.partition("://")[0].partition("+")[0]
