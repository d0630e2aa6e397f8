"""The installation on AWS that settings describe: what `nommer aws up` makes."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from media_nommer.conf.settings import Settings
from media_nommer.wiring import amazon
from media_nommer.wiring.ciphers import parameter_of
from media_nommer.wiring.urls import check_scheme

if TYPE_CHECKING:
    from media_nommer.adapters.aws.setup import (
        Architecture,
        Bundle,
        Installation,
        Purpose,
    )


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
    clients = amazon.aws_clients(settings.aws_region)
    from media_nommer.adapters.aws.setup import FeederdWish, Installation, Wish

    endpoints = {k: v for k, v in os.environ.items() if k.startswith("AWS_ENDPOINT_URL")}
    servers = [*endpoints.values(), *filter(None, [settings.s3_endpoint])]
    wish = Wish(
        installation=settings.installation,
        store=_said_place(settings, "store", ("dynamodb", "simpledb")),
        queue=_said_place(settings, "queue", ("sqs",)),
        work=_said_place(settings, "work", ("s3",)),
        parameter=parameter_of(settings),
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
    return Installation(clients, wish, lambda each: bundle(settings, each))


def _said_place(settings: Settings, name: str, known: tuple[str, ...]) -> str | None:
    """Return where somebody said that a part is; Amazon's have names that follow, else."""
    if name not in settings.sources:
        return None
    check_scheme(settings, name, known)
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
        host = _host_for(feederd.cidr if feederd else None)
        return settings_text(feederd_settings(settings, places, STATE, host))
    return settings_text(worker_settings(settings, places, STATE))


def _host_for(cidr: str | None) -> str:
    """Return what feederd listens on, so that those whom a network names reach it."""
    if cidr is None:
        return "127.0.0.1"
    return "::" if ":" in cidr else "0.0.0.0"


def bundle(settings: Settings, architecture: "Architecture") -> "Bundle":
    """Return what machines of an architecture install: what is installed here."""
    from media_nommer.adapters.aws.setup import bundle_of
    from media_nommer.adapters.local.wheels import Target, gather_wheels

    target = Target(machine=architecture.machine)
    extras = () if parameter_of(settings) is None else ("drm",)
    wheels = gather_wheels(target, settings.data_dir / "bundles", extras=extras)
    return bundle_of(wheels, architecture=architecture, python=target.python)
