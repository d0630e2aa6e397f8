"""What an installation should be, in the words of the settings, and where that puts it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from media_nommer.adapters.aws.s3.names import Place, folder_of
from media_nommer.adapters.aws.setup.site import Site, bucket_name
from media_nommer.adapters.aws.setup.user_data import Purpose


@dataclass(frozen=True, slots=True)
class FeederdWish:
    """That feederd is wanted on a machine, on which, and who may reach it directly."""

    machine_type: str
    cidr: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What an installation should be, in the words of the settings.

    Places that are None have the names that follow from that of the installation.
    ``parameter`` is where SSM is to have the sealing key, if it is.
    ``environment`` and ``endpoints`` are what machines are told of other servers than
    Amazon's. ``tell`` writes the ``nommer.toml`` of a daemon, for the places as they are.
    """

    installation: str
    store: str | None
    queue: str | None
    work: str | None
    parameter: str | None = None
    sources: Sequence[str] = ()
    destinations: Sequence[str] = ()
    roles: Sequence[str] = ()
    instance_types: Sequence[str]
    spot: bool = True
    image: str
    subnets: Sequence[str] = ()
    volume_size: int
    keep_logs_for: timedelta
    endpoints: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    tell: Callable[[Purpose, Mapping[str, str]], str]
    feederd: FeederdWish | None = None


def site_of(wish: Wish, *, partition: str, account: str, region: str) -> Site:
    """Return where an installation is, and what its parts are called."""
    name = wish.installation
    work = folder_of(wish.work or f"s3://{bucket_name(name, account, region)}/work")
    kind, _, place = (wish.store or f"dynamodb://{name}").partition("://")
    whole = (Place(work.bucket, ""),)
    return Site(
        installation=name,
        partition=partition,
        account=account,
        region=region,
        work=work,
        queue=(wish.queue or f"sqs://{place}").partition("://")[2],
        table=place if kind == "dynamodb" else None,
        domain=place if kind == "simpledb" else None,
        sources=tuple(map(folder_of, wish.sources)) or whole,
        destinations=tuple(map(folder_of, wish.destinations)) or whole,
        roles=tuple(wish.roles),
        parameter=wish.parameter,
    )


def places_of(site: Site) -> Mapping[str, str]:
    """Return the settings by which a daemon finds the installation at a site."""
    store = f"dynamodb://{site.table}" if site.table else f"simpledb://{site.domain}"
    return {
        "installation": site.installation,
        "aws_region": site.region,
        "store": store,
        "queue": f"sqs://{site.queue}",
        "work": site.work.url.rstrip("/"),
    }
