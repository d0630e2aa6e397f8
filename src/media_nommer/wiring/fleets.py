"""Fleets: who starts nodes, and what is known of them."""

import hashlib
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from media_nommer.conf.settings import CORES_A_SLOT, Settings
from media_nommer.conf.values import redacted
from media_nommer.core.errors import InvalidSetting
from media_nommer.wiring import amazon
from media_nommer.wiring.urls import scheme_of

if TYPE_CHECKING:
    from media_nommer.core.ports.fleet import Fleet
    from media_nommer.feederd.patience import JanitorPolicy
    from media_nommer.feederd.scaler import Offer

#: What processes of one machine share, and no others.
_NEAR = ("sqlite", "memory")


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
    from media_nommer.feederd.patience import JanitorPolicy
    from media_nommer.planning.fleet.scaling import NodeKind

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
    clients = amazon.aws_clients(settings.aws_region)
    from media_nommer.adapters.aws import ec2
    from media_nommer.core.nodes import Market
    from media_nommer.feederd.patience import JanitorPolicy

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
    if scheme_of(url) in near:
        raise InvalidSetting(
            f"{name} is {redacted(url)!r}, which machines of EC2 cannot reach",
            advice=f"With `fleet` ec2, let `{name}` be what all machines share; "
            "docs/engines.md has what there is.",
        )


def _environment(settings: Settings) -> Mapping[str, str]:
    """Return a worker's environment: ours, with the settings in force here for its own."""
    others = {k: v for k, v in os.environ.items() if not k.startswith("NOMMER_")}
    return others | settings.as_environment()
