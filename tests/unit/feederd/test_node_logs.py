"""The logs that nodes leave in the work area: read through the API, removed in time."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from media_nommer.adapters.memory import MemoryQueue, MemoryStorage, MemoryStore
from media_nommer.core.nodes import Node, NodeId, NodeState, given_at, new_node_id
from media_nommer.core.workflow.engine import Engine, WorkPolicy
from media_nommer.feederd.api import create_app
from media_nommer.feederd.janitor import Janitor
from media_nommer.feederd.patience import JanitorPolicy
from media_nommer.feederd.service import JobService
from media_nommer.testing.clock import START, ManualClock
from media_nommer.testing.samples import a_node

TEXT = '{"event": "node_joined"}\n{"event": "node_left", "why": "Schluß"}\n'
POLICY = JanitorPolicy()
MILLISECOND = timedelta(milliseconds=1)

LeaveLog = Callable[[str], NodeId]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def engine(clock: ManualClock) -> Engine:
    return Engine(MemoryStore(), MemoryQueue(clock), MemoryStorage(), "memory://w", clock)


@pytest.fixture
def leave_log(engine: Engine, tmp_path: Path) -> LeaveLog:
    def leave(node: str) -> NodeId:
        path = tmp_path / "log"
        path.write_text(TEXT)
        engine.storage.put(path, engine.node_log_url(NodeId(node)))
        return NodeId(node)

    return leave


@pytest.fixture
def client(engine: Engine) -> Iterator[TestClient]:
    app = create_app(JobService(engine=engine, outside=engine.storage))
    with TestClient(app, "http://localhost:8001") as client:
        yield client


@pytest.fixture
def janitor(engine: Engine) -> Janitor:
    return Janitor(engine, WorkPolicy(), POLICY)


def test_the_log_of_a_node_can_be_read_when_its_record_is_long_gone(
    client: TestClient, leave_log: LeaveLog
) -> None:
    node = leave_log("n1")

    answer = client.get(f"/v1/nodes/{node}/log")
    as_text = client.get(f"/v1/nodes/{node}/log", headers={"Accept": "text/plain"})

    assert answer.json() == {"node": "n1", "log": TEXT}
    assert as_text.text == TEXT


@pytest.mark.parametrize(
    "name", ["n2", "..", "%2e%2e", "..%2Fjobs", "a b", ".n1", "n" * 101]
)
def test_a_log_that_is_none_is_not_found_wherever_it_points(
    client: TestClient, leave_log: LeaveLog, engine: Engine, name: str
) -> None:
    leave_log("n1")

    answer = client.get(f"/v1/nodes/{name}/log")

    assert answer.status_code == 404
    assert answer.json()["error"]["code"] in {"NODE_NOT_FOUND", "NOT_FOUND"}


def test_nodes_that_are_gone_are_listed_only_when_asked_for(
    client: TestClient, engine: Engine
) -> None:
    engine.store.add_node(a_node("node-1"))
    why = "it was set aside: task after task failed on it (NO_SPACE)"
    gone = a_node("node-2").moved_to(NodeState.GONE, at=engine.clock.now(), detail=why)
    engine.store.add_node(gone)

    usual = client.get("/v1/nodes").json()["nodes"]
    everything = client.get("/v1/nodes?gone=true").json()["nodes"]

    assert [node["id"] for node in usual] == ["node-1"]
    assert [(node["id"], node["detail"]) for node in everything] == [
        ("node-1", ""),
        ("node-2", why),
    ]


def test_logs_of_nodes_go_after_their_time(
    engine: Engine, clock: ManualClock, janitor: Janitor, leave_log: LeaveLog
) -> None:
    old = leave_log(new_node_id(clock.now()))
    clock.advance(timedelta(days=1))
    young = leave_log(new_node_id(clock.now()))

    clock.advance(POLICY.keep_logs_for - timedelta(days=1, seconds=1))
    janitor.tidy()
    assert len(engine.storage.list(engine.nodes_url)) == 2
    clock.advance(timedelta(seconds=1))

    assert janitor.tidy() == 1
    assert engine.storage.list(engine.nodes_url) == (engine.node_log_url(young),)
    assert old != young


def test_the_log_of_a_node_that_lives_for_long_stays(
    engine: Engine, clock: ManualClock, janitor: Janitor, leave_log: LeaveLog
) -> None:
    name = leave_log(new_node_id(clock.now()))
    node = Node(id=name, kind="ec2", created_at=clock.now(), changed_at=clock.now())
    engine.store.add_node(replace(node, state=NodeState.RUNNING))

    clock.advance(10 * POLICY.keep_logs_for)
    janitor.tidy()

    assert engine.storage.list(engine.nodes_url) == (engine.node_log_url(name),)


def test_what_is_not_known_to_be_a_nodes_is_left_alone(
    engine: Engine, clock: ManualClock, janitor: Janitor, leave_log: LeaveLog
) -> None:
    leave_log("somebody-elses")

    clock.advance(10 * POLICY.keep_logs_for)
    janitor.tidy()

    assert len(engine.storage.list(engine.nodes_url)) == 1


def test_an_id_tells_when_it_was_given() -> None:
    given = given_at(new_node_id(START + 7 * MILLISECOND))

    assert given == START + 7 * MILLISECOND
    assert given_at("node-1") is None
    assert given_at("n" + "0" * 16) is None
