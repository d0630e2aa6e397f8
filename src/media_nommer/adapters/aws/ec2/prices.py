"""What machines cost: as the operator says, else as Amazon does to who may ask it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

import structlog
from pydantic import BaseModel, ValidationError

from media_nommer.adapters.aws.clients import AwsClients, answering
from media_nommer.adapters.aws.ec2.kept import Kept
from media_nommer.core.clock import Clock, system_clock
from media_nommer.core.errors import AccessDenied, NommerError
from media_nommer.core.nodes import Market

if TYPE_CHECKING:
    from types_boto3_ec2 import EC2Client
    from types_boto3_pricing import PricingClient

log = structlog.get_logger(__name__)

Key = TypeVar("Key")

_SPOT_LASTS, _ON_DEMAND_LASTS = timedelta(minutes=10), timedelta(hours=12)
#: After so long it is asked again, where there was no answer, and where there was no right.
_NO_ANSWER_LASTS, _NO_RIGHT_LASTS = timedelta(minutes=2), timedelta(hours=1)

#: The regions that the price list is served in, by the beginnings of those nearest to them.
_PRICE_LISTS = {"eu-": "eu-central-1", "me-": "eu-central-1", "ap-": "ap-south-1"}
_PRICE_LIST = "us-east-1"

_LINUX = "Linux/UNIX"


class Prices:
    """Prices of an hour in US dollars, None where nobody knows one.

    ``said`` are the operator's, by ``type/market`` or by ``type``: they win. The others are
    what Amazon charges for Linux without any discount. Spot prices change: they are those
    of the last minutes. A right that is missing is told once, and tried again much later.
    """

    def __init__(
        self,
        clients: AwsClients,
        types: Sequence[str],
        said: Mapping[str, float],
        *,
        clock: Clock = system_clock,
    ) -> None:
        self._clients = clients
        self._types = tuple(types)
        self._said = dict(said)
        self._told: set[str] = set()
        self._lasts: dict[str, timedelta] = {}
        self._clock = clock
        self._spot = Kept(
            lambda: self._ask("spot prices", self._ask_spot),
            lambda _found: self._lasts.get("spot prices", _SPOT_LASTS),
            clock,
        )
        self._on_demand = Kept(
            lambda: self._ask("the price list", self._ask_on_demand),
            lambda _found: self._lasts.get("the price list", _ON_DEMAND_LASTS),
            clock,
        )

    def of(self, type_name: str, market: Market, zone: str = "") -> float | None:
        """Return the price of a machine; of the dearest zone where none is given."""
        said = self._said.get(f"{type_name}/{market}", self._said.get(type_name))
        if said is not None or market is Market.OWN:
            return said
        if market is Market.ON_DEMAND:
            return self._on_demand.get().get(type_name)
        return max(
            (
                price
                for (priced, where), price in self._spot.get().items()
                if priced == type_name and zone in {"", where}
            ),
            default=None,
        )

    def _ask(
        self, what: str, ask: Callable[[], Mapping[Key, float]]
    ) -> Mapping[Key, float]:
        """Return what Amazon says, nothing where it does not; it never fails."""
        try:
            found = ask()
        except AccessDenied as error:
            self._lasts[what] = _NO_RIGHT_LASTS
            if what not in self._told:
                self._told.add(what)
                log.warning("prices_unknown", what=what, message=error.message)
            return {}
        except NommerError as error:
            self._lasts[what] = _NO_ANSWER_LASTS
            log.info("prices_unknown", what=what, message=error.message)
            return {}
        self._lasts.pop(what, None)
        return found

    def _ask_spot(self) -> Mapping[tuple[str, str], float]:
        """Return the newest price of each type in each zone."""
        client: EC2Client = self._clients.client("ec2")
        now = self._clock.now()
        newest: dict[tuple[str, str], tuple[datetime, float]] = {}
        with answering("ec2"):
            pages = client.get_paginator("describe_spot_price_history").paginate(
                InstanceTypes=list(self._types),  # type: ignore[arg-type]  # any text is one
                ProductDescriptions=[_LINUX],
                StartTime=now,
                EndTime=now,
            )
            for page in pages:
                for each in page.get("SpotPriceHistory", ()):
                    place = (str(each["InstanceType"]), each["AvailabilityZone"])
                    entry = (each["Timestamp"], float(each["SpotPrice"]))
                    newest[place] = max(newest.get(place, entry), entry)
        return {place: price for place, (_, price) in newest.items()}

    def _ask_on_demand(self) -> Mapping[str, float]:
        """Return the price of each type in our region."""
        region = self._clients.region or _PRICE_LIST
        client: PricingClient = self._clients.client(
            "pricing", region_name=price_list_for(region)
        )
        found: dict[str, float] = {}
        for name in self._types:
            with answering("pricing"):
                answer = client.get_products(
                    ServiceCode="AmazonEC2",
                    Filters=[
                        {"Type": "TERM_MATCH", "Field": field, "Value": value}
                        for field, value in _product(name, region).items()
                    ],
                )
            prices = map(price_in, answer.get("PriceList", ()))
            known = [price for price in prices if price is not None]
            if known:
                found[name] = max(known)
        return found


def price_list_for(region: str) -> str:
    """Return the region in which to ask for the prices of another one."""
    return next(
        (at for near, at in _PRICE_LISTS.items() if region.startswith(near)), _PRICE_LIST
    )


class _Dimension(BaseModel):
    unit: str
    pricePerUnit: Mapping[str, float]


class _Offer(BaseModel):
    priceDimensions: Mapping[str, _Dimension]


class _Terms(BaseModel):
    OnDemand: Mapping[str, _Offer] = {}


class _Product(BaseModel):
    terms: _Terms


def price_in(document: str) -> float | None:
    """Return the price of an hour that a document of the price list tells, if it does."""
    try:
        product = _Product.model_validate_json(document)
    except ValidationError:
        return None
    prices = [
        dimension.pricePerUnit["USD"]
        for offer in product.terms.OnDemand.values()
        for dimension in offer.priceDimensions.values()
        if dimension.unit == "Hrs" and dimension.pricePerUnit.get("USD")
    ]
    return max(prices, default=None)


def _product(type_name: str, region: str) -> Mapping[str, str]:
    """Return what tells a plain machine with Linux from all others of its type."""
    return {
        "instanceType": type_name,
        "regionCode": region,
        "operatingSystem": "Linux",
        "preInstalledSw": "NA",
        "tenancy": "Shared",
        "capacitystatus": "Used",
    }
