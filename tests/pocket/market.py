"""What EC2 has to give: types in zones, what they cost, and what there is none of."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

#: The price of an hour on demand, in US dollars; any other type costs the last.
_ON_DEMAND: Mapping[str, float] = {
    "c7i.xlarge": 0.1785,
    "c7a.xlarge": 0.20528,
    "c6i.xlarge": 0.17,
    "c6a.xlarge": 0.153,
    "*": 0.2,
}
_SPOT_SHARE = 0.4
NO_CAPACITY = "InsufficientInstanceCapacity"


class Pool(NamedTuple):
    """Machines of one type in one zone, had in one market: ``spot`` or ``on-demand``.

    In orders a part may be a pattern such as ``*``.
    """

    type: str
    zone: str
    market: str


@dataclass(frozen=True)
class Lack:
    """That there is nothing of some pools, and how EC2 says so."""

    pools: Pool
    code: str
    said: str


class Supply:
    """Says what can be had, and at which price. Any thread may ask and order."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lacks: list[Lack] = []

    def lack(
        self,
        *,
        type: str = "*",
        zone: str = "*",
        market: str = "*",
        code: str = NO_CAPACITY,
    ) -> Lack:
        """Have nothing of some pools from now on, and say so by ``code``."""
        said = f"There is no capacity of {type} in {zone} as {market}."
        lack = Lack(Pool(type, zone, market), code, said)
        with self._lock:
            self._lacks.append(lack)
        return lack

    def restock(self) -> None:
        """Have all that was lacking."""
        with self._lock:
            self._lacks.clear()

    def lacking(self, pool: Pool) -> Lack | None:
        """Return why a pool has nothing, None where it has."""
        with self._lock:
            for lack in self._lacks:
                if all(map(fnmatchcase, pool, lack.pools)):
                    return lack
        return None

    @staticmethod
    def price(pool: Pool) -> float:
        """Return what an hour costs."""
        whole = _ON_DEMAND.get(pool.type, _ON_DEMAND["*"])
        if pool.market == "on-demand":
            return whole
        # Zones differ a little, the first being the cheapest.
        return round(_SPOT_SHARE * whole + 0.001 * (ord(pool.zone[-1]) - ord("a")), 6)

    def history(self, request: Mapping[str, Any], zones: Sequence[str]) -> dict[str, Any]:
        """Answer DescribeSpotPriceHistory: each price has held for an hour."""
        found = list(self._history(request, zones))
        begin = int(request.get("NextToken") or 0)
        page = found[begin : begin + request.get("MaxResults", 1000)]
        end = begin + len(page)
        return {
            "SpotPriceHistory": page,
            "NextToken": str(end) if end < len(found) else "",
        }

    def _history(
        self, request: Mapping[str, Any], zones: Sequence[str]
    ) -> Iterator[dict[str, Any]]:
        products = request.get("ProductDescriptions") or ["Linux/UNIX"]
        for zone in zones:
            if request.get("AvailabilityZone") not in {None, zone}:
                continue
            for kind in request.get("InstanceTypes") or [*_ON_DEMAND][:-1]:
                if "Linux/UNIX" in products:
                    yield {
                        "AvailabilityZone": zone,
                        "InstanceType": kind,
                        "ProductDescription": "Linux/UNIX",
                        "SpotPrice": f"{self.price(Pool(kind, zone, 'spot')):.6f}",
                        "Timestamp": datetime.now(UTC) - timedelta(hours=1),
                    }
