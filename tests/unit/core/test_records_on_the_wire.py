"""Records and messages come back from the wire as they were (rules 4 and 12)."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any, get_args, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies._internal.types import _global_type_lookup

from media_nommer.core.errors import Failure
from media_nommer.core.jobs import Event, Job, Output, PublishedFile
from media_nommer.core.nodes import Duty, Node
from media_nommer.core.tasks import (
    Attempt,
    Claim,
    PlannedTask,
    Result,
    ResultFile,
    Task,
    TaskId,
)
from media_nommer.core.wire import (
    WIRE_VERSION,
    UnknownVersion,
    dump,
    dump_message,
    load,
    load_message,
)
from media_nommer.core.workflow.archiving import JobArchive
from media_nommer.testing.samples import a_duty, a_full_job, a_full_task, a_node

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)
TIMES = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001
FLOATS = st.floats(allow_nan=False, allow_infinity=False)

TASK_PARTS = (Attempt, Claim, PlannedTask, Result, ResultFile)
AN_ARCHIVE = JobArchive(job=a_full_job(), tasks=(a_full_task(),))
RECORDS = [a_full_job(), a_full_task(), a_node(), a_duty(), AN_ARCHIVE]
PERIODS = st.timedeltas(timedelta(), timedelta(days=400))


def mapping_of(kind: Any) -> st.SearchStrategy[dict[Any, Any]]:
    keys, values = get_args(kind)
    return st.dictionaries(st.from_type(keys), st.from_type(values), max_size=3)


def whole(kind: type[Any]) -> st.SearchStrategy[Any]:
    """Return records with every field filled in, those that have a default too."""
    hints = get_type_hints(kind)
    return st.deferred(
        lambda: st.builds(
            kind, **{f.name: st.from_type(hints[f.name]) for f in fields(kind)}
        )
    )


@pytest.fixture(autouse=True, scope="module")
def strategies() -> Iterator[None]:
    """Let hypothesis know our records here, and leave it as it was for other tests."""
    before = dict(_global_type_lookup)
    st.register_type_strategy(str, TEXTS)
    st.register_type_strategy(float, FLOATS)
    st.register_type_strategy(datetime, TIMES)
    st.register_type_strategy(timedelta, PERIODS)
    st.register_type_strategy(object, JSON)
    st.register_type_strategy(Mapping, mapping_of)
    for part in (Failure, PublishedFile, Output, Event, *TASK_PARTS, Job, Task):
        st.register_type_strategy(part, whole(part))
    yield
    _global_type_lookup.clear()
    _global_type_lookup.update(before)


@pytest.mark.parametrize("kind", [Job, Task, Node, Duty, JobArchive])
@settings(
    max_examples=40,  # of records that are large
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(data=st.data())
def test_any_record_comes_back_as_it_was(kind: type[Any], data: st.DataObject) -> None:
    record = data.draw(whole(kind))

    assert load(kind, dump(record)) == record


@pytest.mark.parametrize("record", RECORDS)
def test_a_document_of_a_newer_version_is_refused(record: object) -> None:
    document = json.loads(dump(record))
    document["v"] = WIRE_VERSION + 1

    with pytest.raises(UnknownVersion) as refused:
        load(type(record), json.dumps(document))
    assert refused.value.advice


@pytest.mark.parametrize("record", RECORDS)
def test_a_field_that_this_version_does_not_know_is_passed_over(record: object) -> None:
    document = json.loads(dump(record))
    document["r"]["shoe_size"] = 43

    assert load(type(record), json.dumps(document)) == record


@given(st.text(min_size=1).map(TaskId))
def test_rule_12_a_message_is_a_reference_and_no_more(task: TaskId) -> None:
    text = dump_message(task)

    assert load_message(text) == task
    assert set(json.loads(text)) == {"v", "task"}


@given(
    st.sampled_from(["", "x", "[]", "{}", "null", '"a"', '{"v":1}', '{"v":1,"task":7}'])
    | st.integers(WIRE_VERSION + 1, 99).map(lambda v: json.dumps({"v": v, "task": "t"}))
    | st.text()
)
def test_rule_4_a_message_that_is_not_ours_to_read_is_said_to_be_so(text: str) -> None:
    with pytest.raises(UnknownVersion):
        load_message(text)
