"""DescribeInstances: what is asked for by ids and filters, a page at a time."""

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from tests.pocket.instances import ACCOUNT, Instance
from tests.pocket.query import Refused

_LEAST, _MOST = 5, 1000


def describe_instances(
    request: Mapping[str, Any], shown: Sequence[Instance]
) -> dict[str, Any]:
    """Answer DescribeInstances, where ``shown`` are those that can be seen."""
    wanted, size = request.get("InstanceIds"), request.get("MaxResults")
    if size is not None and not _LEAST <= size <= _MOST:
        raise Refused("InvalidParameterValue", f"MaxResults is from {_LEAST} to {_MOST}")
    if size is not None and wanted:
        raise Refused(
            "InvalidParameterCombination",
            "The parameter instancesSet cannot be used with the parameter maxResults",
        )
    if wanted:
        check_known(wanted, shown)
        shown = [instance for instance in shown if instance.id in wanted]
    found = [each for each in shown if _passes(each, request.get("Filters", ()))]
    begin = int(request.get("NextToken") or 0)
    page = found[begin : begin + (size or _MOST)]
    end = begin + len(page)
    return {
        "Reservations": [reservation([instance]) for instance in page],
        "NextToken": str(end) if end < len(found) else None,
    }


def reservation(instances: Sequence[Instance]) -> dict[str, Any]:
    """Return what was launched at once, as EC2 tells of it."""
    return {
        "ReservationId": "r" + instances[0].id[1:],
        "OwnerId": ACCOUNT,
        "Instances": [instance.described() for instance in instances],
    }


def check_known(wanted: Iterable[str], shown: Iterable[Instance]) -> None:
    """Check that EC2 knows instances.

    Raises:
        Refused: it does not know one.
    """
    known = {instance.id for instance in shown}
    for each in wanted:
        if each not in known:
            said = f"The instance ID '{each}' does not exist"
            raise Refused("InvalidInstanceID.NotFound", said)


def _passes(instance: Instance, filters: Iterable[Mapping[str, Any]]) -> bool:
    return all(
        any(
            fnmatchcase(value, pattern)
            for value in _values(instance, said["Name"])
            for pattern in said.get("Values", ())
        )
        for said in filters
    )


def _values(instance: Instance, name: str) -> Sequence[str]:
    if name.startswith("tag:"):
        value = instance.tags.get(name.removeprefix("tag:"))
        return () if value is None else (value,)
    if name == "tag-key":
        return tuple(instance.tags)
    known = {
        "availability-zone": instance.zone,
        "client-token": instance.token,
        "instance-id": instance.id,
        "instance-lifecycle": "spot" if instance.market == "spot" else "",
        "instance-state-code": str(instance.stated()["Code"]),
        "instance-state-name": instance.state,
        "instance-type": instance.type,
        "subnet-id": instance.subnet,
    }
    if name not in known:
        raise Refused("InvalidParameterValue", f"The filter '{name}' is invalid")
    return (known[name],)
