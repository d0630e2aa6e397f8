"""What machines cost, by whoever tells."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError
from structlog.testing import capture_logs

from media_nommer.adapters.aws.clients import AwsClients
from media_nommer.adapters.aws.ec2.offer import Ec2Offer
from media_nommer.adapters.aws.ec2.prices import Prices, price_in, price_list_for
from media_nommer.adapters.aws.ec2.types import InstanceTypes
from media_nommer.core.errors import InvalidSetting
from media_nommer.core.nodes import Market
from media_nommer.testing.clock import ManualClock

LARGE, SMALL = "c7i.xlarge", "c7i.large"
HOUR = timedelta(hours=1)
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def a_product(dollars: str, unit: str = "Hrs", currency: str = "USD") -> str:
    """Return a document of the price list, in the shape that Amazon describes."""
    dimension = {
        "unit": unit,
        "endRange": "Inf",
        "description": "$0.1785 per On Demand Linux c7i.xlarge Instance Hour",
        "appliesTo": [],
        "rateCode": "SKU.JRTCKXETXF.6YS6EN2CT7",
        "beginRange": "0",
        "pricePerUnit": {currency: dollars},
    }
    offer = {
        "priceDimensions": {"SKU.JRTCKXETXF.6YS6EN2CT7": dimension},
        "sku": "SKU",
        "effectiveDate": "2026-11-01T00:00:00Z",
        "offerTermCode": "JRTCKXETXF",
        "termAttributes": {},
    }
    reserved = {"SKU.X": {"priceDimensions": {}, "sku": "SKU", "termAttributes": {}}}
    return json.dumps(
        {
            "product": {"productFamily": "Compute Instance", "sku": "SKU"},
            "serviceCode": "AmazonEC2",
            "terms": {"OnDemand": {"SKU.JRTCKXETXF": offer}, "Reserved": reserved},
            "version": "20261101000000",
            "publicationDate": "2026-11-01T00:00:00Z",
        }
    )


class Amazon:
    """Answers questions for prices as Amazon's services do, or refuses them."""

    region = "eu-central-1"

    def __init__(self, refusal: str | None = None) -> None:
        self.refusal = refusal
        self.asked: list[str] = []
        self.spot = [(LARGE, "a", "0.07", NOON), (LARGE, "b", "0.09", NOON)]
        self.on_demand = {LARGE: "0.2", SMALL: "0.1"}

    def client(self, service: str, **_: Any) -> "Amazon":
        return self

    def get_paginator(self, _name: str) -> "Amazon":
        return self

    def paginate(self, **_: Any) -> list[Mapping[str, Any]]:
        self._answer("spot")
        names = ("InstanceType", "AvailabilityZone", "SpotPrice", "Timestamp")
        entries = [dict(zip(names, each, strict=True)) for each in self.spot]
        return [{"SpotPriceHistory": [entry]} for entry in entries]

    def get_products(self, *, Filters: list[dict[str, str]], **_: Any) -> Mapping[str, Any]:
        self._answer("list")
        wanted = {each["Field"]: each["Value"] for each in Filters}
        assert wanted["regionCode"] == self.region
        price = self.on_demand.get(wanted["instanceType"])
        return {"PriceList": [a_product(price)] if price else []}

    def _answer(self, what: str) -> None:
        self.asked.append(what)
        if self.refusal:
            error = {"Error": {"Code": self.refusal, "Message": "said"}}
            raise ClientError(cast(Any, error), "Ask")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def prices(amazon: Amazon, clock: ManualClock, **said: float) -> Prices:
    written = {name.replace("_", "."): price for name, price in said.items()}
    return Prices(cast(AwsClients, amazon), (LARGE, SMALL), written, clock=clock)


def test_the_spot_price_is_the_newest_of_its_zone(clock: ManualClock) -> None:
    amazon = Amazon()
    amazon.spot += [(LARGE, "a", "0.08", NOON + HOUR), (LARGE, "a", "0.01", NOON - HOUR)]

    found = prices(amazon, clock)

    assert found.of(LARGE, Market.SPOT, "a") == 0.08
    assert found.of(LARGE, Market.SPOT, "b") == 0.09


def test_where_no_zone_is_named_the_dearest_counts(clock: ManualClock) -> None:
    assert prices(Amazon(), clock).of(LARGE, Market.SPOT) == 0.09


def test_the_price_on_demand_is_that_of_the_price_list(clock: ManualClock) -> None:
    assert prices(Amazon(), clock).of(SMALL, Market.ON_DEMAND, "a") == 0.1


def test_what_the_operator_says_wins_and_of_that_what_names_the_market(
    clock: ManualClock,
) -> None:
    said = {LARGE: 3.0, f"{LARGE}/spot": 2.0}
    found = Prices(cast(AwsClients, Amazon()), (LARGE,), said, clock=clock)

    assert found.of(LARGE, Market.SPOT, "a") == 2.0
    assert found.of(LARGE, Market.ON_DEMAND) == 3.0


def test_what_nobody_tells_is_not_known(clock: ManualClock) -> None:
    found = prices(Amazon(), clock)

    assert found.of(SMALL, Market.SPOT) is None
    assert found.of(LARGE, Market.SPOT, "c") is None
    assert found.of("m1.small", Market.ON_DEMAND) is None


def test_prices_are_asked_for_once_in_a_while(clock: ManualClock) -> None:
    amazon = Amazon()
    found = prices(amazon, clock)

    for _ in range(3):
        found.of(LARGE, Market.SPOT)
        found.of(LARGE, Market.ON_DEMAND)
    assert amazon.asked == ["spot", "list", "list"]
    clock.advance(HOUR)
    found.of(LARGE, Market.SPOT)
    found.of(LARGE, Market.ON_DEMAND)

    assert amazon.asked == ["spot", "list", "list", "spot"]


def test_a_missing_right_is_told_once_and_not_asked_for_again_soon(
    clock: ManualClock,
) -> None:
    amazon = Amazon("UnauthorizedOperation")
    found = prices(amazon, clock)

    with capture_logs() as logs:
        for _ in range(100):
            assert found.of(LARGE, Market.SPOT) is None
            clock.advance(timedelta(minutes=1))

    assert amazon.asked == ["spot", "spot"]
    assert [line["event"] for line in logs] == ["prices_unknown"]


def test_a_service_that_is_away_is_asked_again_soon(clock: ManualClock) -> None:
    amazon = Amazon("InternalError")
    found = prices(amazon, clock)
    assert found.of(LARGE, Market.ON_DEMAND) is None

    amazon.refusal = None
    clock.advance(timedelta(minutes=2))

    assert found.of(LARGE, Market.ON_DEMAND) == 0.2


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        pytest.param(a_product("0.1785000000"), 0.1785, id="an hour's price"),
        pytest.param(a_product("0.0000000000"), None, id="nothing is no price"),
        pytest.param(a_product("9.9", unit="Quantity"), None, id="by the piece"),
        pytest.param(a_product("1.2", currency="CNY"), None, id="in another currency"),
        pytest.param('{"terms": {}}', None, id="no terms"),
        pytest.param('{"product": {}}', None, id="another document"),
        pytest.param("not JSON", None, id="no document"),
    ],
)
def test_a_document_of_the_price_list_has_the_price_of_an_hour_or_not(
    document: str, expected: float | None
) -> None:
    assert price_in(document) == expected


@pytest.mark.parametrize(
    ("region", "where"),
    [
        ("us-west-2", "us-east-1"),
        ("eu-west-1", "eu-central-1"),
        ("ap-southeast-2", "ap-south-1"),
        ("sa-east-1", "us-east-1"),
    ],
)
def test_the_price_list_is_asked_for_where_it_is_served(region: str, where: str) -> None:
    assert price_list_for(region) == where


class Types(InstanceTypes):
    """Knows two types without asking."""

    def __init__(self) -> None:
        super().__init__(cast(AwsClients, None))
        from media_nommer.adapters.aws.ec2.types import TypeFacts  # noqa: PLC0415

        self._known = {LARGE: TypeFacts(4, arm=False), SMALL: TypeFacts(2, arm=False)}


def offer(found: Prices, **changes: Any) -> Ec2Offer:
    usual: dict[str, Any] = {
        "names": (LARGE, SMALL),
        "markets": (Market.SPOT, Market.ON_DEMAND),
        "cores_a_slot": 2,
        "slots": None,
        "idle": timedelta(seconds=30),
        "must_know_prices": False,
    }
    return Ec2Offer(Types(), found, **usual | changes)


def test_the_offer_promises_the_slots_of_the_smallest_and_the_price_of_the_dearest(
    clock: ManualClock,
) -> None:
    amazon = Amazon()
    amazon.spot.append((SMALL, "a", "0.04", NOON))

    (kind,) = offer(prices(amazon, clock))()

    assert (kind.name, kind.slots, kind.price) == ("ec2", 1, 0.09)
    assert (kind.idle, kind.billed_at_least) == (
        timedelta(seconds=30),
        timedelta(minutes=1),
    )


def test_slots_that_were_said_count(clock: ManualClock) -> None:
    (kind,) = offer(prices(Amazon(), clock), slots=3)()

    assert kind.slots == 3


def test_a_spot_price_that_nobody_tells_is_taken_for_that_on_demand(
    clock: ManualClock,
) -> None:
    (kind,) = offer(prices(Amazon(), clock))()  # the small one has no spot price

    assert kind.price == 0.1


def test_without_any_price_a_limit_on_the_cost_is_an_error(clock: ManualClock) -> None:
    unknown = prices(Amazon("AccessDenied"), clock)
    assert offer(unknown)()[0].price == 0.0

    with pytest.raises(InvalidSetting, match="nobody tells what a c7i"):
        offer(unknown, must_know_prices=True)()
