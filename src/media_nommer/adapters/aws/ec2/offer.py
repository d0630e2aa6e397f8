"""What kinds of node EC2 has on offer, for whoever decides how many to start."""

from collections.abc import Sequence
from datetime import timedelta

import structlog

from media_nommer.adapters.aws.ec2.fleet import EC2
from media_nommer.adapters.aws.ec2.prices import Prices
from media_nommer.adapters.aws.ec2.types import InstanceTypes
from media_nommer.core.errors import InvalidSetting
from media_nommer.core.nodes import Market
from media_nommer.planning.fleet.scaling import NodeKind

log = structlog.get_logger(__name__)

#: From the request for a machine to its first task, until past launches tell better.
_BOOT = timedelta(seconds=90)
#: EC2 charges Linux machines by the second, and never for less than this.
_BILLED_AT_LEAST = timedelta(minutes=1)


class Ec2Offer:
    """One kind of node: any of some instance types, whichever EC2 has.

    What is promised of it is what the least of them can do and the dearest costs: the slots
    of the smallest type (one for every ``cores_a_slot``, unless ``slots`` says how many),
    and the highest price in the first of the ``markets``. With ``must_know_prices`` there
    is nothing on offer without one.
    """

    def __init__(
        self,
        types: InstanceTypes,
        prices: Prices,
        *,
        names: Sequence[str],
        markets: Sequence[Market],
        cores_a_slot: int,
        slots: int | None,
        idle: timedelta,
        must_know_prices: bool,
    ) -> None:
        self._types = types
        self._prices = prices
        self._names = tuple(names)
        self._markets = tuple(markets)
        self._cores_a_slot = cores_a_slot
        self._slots = slots
        self._idle = idle
        self._must_know_prices = must_know_prices
        self._told = False

    def __call__(self) -> Sequence[NodeKind]:
        """Return the kind as it is now.

        Raises:
            InvalidSetting: a type does not exist, or has no price where it must have one.
        """
        smallest = min(facts.vcpus for facts in self._types.facts(self._names).values())
        prices = [self._price_of(name) for name in self._names]
        known = [price for price in prices if price is not None]
        return [
            NodeKind(
                name=EC2,
                slots=self._slots or max(1, smallest // self._cores_a_slot),
                price=max(known, default=0.0),
                priced=len(known) == len(prices),
                boot=_BOOT,
                idle=self._idle,
                billed_at_least=_BILLED_AT_LEAST,
            )
        ]

    def _price_of(self, name: str) -> float | None:
        # A spot price that nobody tells us is below the price on demand.
        for market in (self._markets[0], Market.ON_DEMAND):
            price = self._prices.of(name, market)
            if price is not None:
                return price
        if self._must_know_prices:
            raise InvalidSetting(
                f"max_hourly_cost is set, and nobody tells what a {name} costs",
                advice="Say it in `instance_prices`, or allow ec2:DescribeSpotPriceHistory "
                "and pricing:GetProducts to the role or user that feederd runs as.",
            )
        if not self._told:
            self._told = True
            log.warning("price_unknown", type=name)
        return None
