import base64
import json
from typing import Any

import pytest
from benchmarks.prices import cost_of
from benchmarks.request_units import Units, request_units, size_of

KEY = {"pk": {"S": "job a"}, "sk": {"S": "="}}
INDEXED = {"jobs": {"S": "all"}, "state": {"S": "pending"}, "place": {"S": "1"}}


def _large(kilobytes: int) -> dict[str, Any]:
    return {"B": base64.b64encode(bytes(1000 * kilobytes)).decode()}


def _units(operation: str, asked: object, said: object) -> Units:
    return request_units(operation, json.dumps(asked), json.dumps(said))


def _update(sets: dict[str, Any], old: dict[str, Any]) -> Units:
    asked = {
        "UpdateExpression": "SET " + ", ".join(f"#{name} = :{name}" for name in sets),
        "ExpressionAttributeNames": {f"#{name}": name for name in sets},
        "ExpressionAttributeValues": {f":{name}": value for name, value in sets.items()},
    }
    return _units("UpdateItem", asked, {"Attributes": old})


def test_an_item_is_as_large_as_its_names_and_values() -> None:
    assert size_of({"pk": {"S": "é"}, "doc": {"B": "AAAA"}}) == 2 + 2 + 3 + 3


def test_a_new_job_is_written_to_the_table_and_both_its_indexes() -> None:
    assert _units("PutItem", {"Item": {**KEY, **INDEXED}}, {}) == Units(writes=3)


def test_a_change_of_what_no_index_shows_is_one_write() -> None:
    assert _update({"doc": {"B": "AAAA"}}, {**KEY, **INDEXED}) == Units(writes=1)


def test_a_change_of_state_leaves_one_entry_and_makes_another() -> None:
    assert _update({"state": {"S": "running"}}, {**KEY, **INDEXED}) == Units(writes=3)


def test_a_write_is_as_large_as_the_larger_of_both_versions() -> None:
    assert _update({"doc": {"B": ""}}, {**KEY, "doc": _large(3)}) == Units(writes=4 - 1)


def test_reads_that_may_lag_cost_half() -> None:
    said = {"Items": [{**KEY, "doc": _large(5)}]}

    assert _units("Query", {"ConsistentRead": True}, said) == Units(reads=2)
    assert _units("Query", {}, said) == Units(reads=1)


def test_nothing_found_is_paid_for_too() -> None:
    asked = {"RequestItems": {"t": {"Keys": [KEY, KEY]}}}

    assert _units("GetItem", {"ConsistentRead": True}, {}) == Units(reads=1)
    assert _units("BatchGetItem", asked, {"Responses": {"t": []}}) == Units(reads=1)


def test_a_refused_write_costs_what_stands_there() -> None:
    assert _units("UpdateItem", {}, {"Item": {**KEY, "doc": _large(2)}}) == Units(writes=2)


def test_what_is_asked_about_tables_is_free() -> None:
    assert _units("DescribeTable", {}, {}) == Units()


@pytest.mark.parametrize(
    ("service", "operation", "a_million"),
    [
        ("sqs", "ReceiveMessage", 0.40),
        ("s3", "PutObject", 5.0),
        ("s3", "ListObjectsV2", 5.0),
        ("s3", "GetObject", 0.40),
        ("s3", "DeleteObjects", 5.0),
        ("s3", "DeleteObject", 0.0),
    ],
)
def test_calls_have_the_prices_of_their_class(
    service: str, operation: str, a_million: float
) -> None:
    assert cost_of(service, operation, "", "").dollars * 1e6 == pytest.approx(a_million)


def test_simpledb_is_paid_by_the_machine_hours_that_it_tells() -> None:
    said = "<x><BoxUsage>0.5000000000</BoxUsage></x>"

    assert cost_of("simpledb", "Select", "", said).dollars == pytest.approx(0.07)
