"""The worker as a process on a machine of EC2: who it is, what it leaves behind."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.imds import Imds, Instance, serving_imds

from media_nommer.adapters.objects import file_url
from media_nommer.conf import load_settings
from media_nommer.core.nodes import Machine, Market, Node, NodeId, NodeState, new_node_id
from media_nommer.core.workflow.engine import Engine
from media_nommer.wiring import open_engine

NODE = NodeId("n1a201915afaab12cd")
PATIENCE = 150
INSTANCE = Instance(tags={"nommer-node": NODE})

Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def imds() -> Iterator[Imds]:
    with serving_imds(INSTANCE) as running:
        yield running


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    settings = load_settings({"data_dir": tmp_path / "data"}, environ={"NOMMER_CONFIG": ""})
    with open_engine(settings) as opened:
        yield opened


@pytest.fixture
def start(imds: Imds, tmp_path: Path, engine: Engine) -> Iterator[Start]:
    started: list[subprocess.Popen[bytes]] = []
    others = {k: v for k, v in os.environ.items() if not k.startswith("NOMMER_")}

    def begin(*words: str, **settings: str) -> subprocess.Popen[bytes]:
        own = {"data_dir": str(tmp_path / "data"), "machine": "ec2", "slots": "1"}
        said = {f"NOMMER_{k.upper()}": v for k, v in (own | settings).items()}
        with (tmp_path / "stderr").open("wb") as errors:
            child = subprocess.Popen(
                [sys.executable, "-m", "media_nommer.daemons.ec2nommerd", *words],
                env=others
                | said
                | {
                    "NOMMER_CONFIG": "",
                    "AWS_EC2_METADATA_SERVICE_ENDPOINT": imds.endpoint,
                },
                stderr=errors,
            )
        started.append(child)
        return child

    yield begin
    for child in started:
        child.kill()
        child.wait()


def node_of(engine: Engine) -> Node:
    (node,) = engine.store.nodes(gone=True)
    return node


def log_of(tmp_path: Path, node: str = NODE) -> list[dict[str, object]]:
    path = tmp_path / "data" / "work" / "nodes" / node / "ec2nommerd.log"
    return [json.loads(line) for line in path.read_text().splitlines()]


def eventually(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until, "it never came true"
        time.sleep(0.02)


def joined(engine: Engine) -> bool:
    nodes = engine.store.nodes(gone=True)
    return bool(nodes) and nodes[0].state is NodeState.RUNNING


def test_it_is_the_node_of_its_tag_and_leaves_its_log_when_it_ends(
    start: Start, engine: Engine, tmp_path: Path
) -> None:
    now = engine.clock.now()
    asked_for = Machine(name=INSTANCE.id, price=0.07)
    engine.store.add_node(
        Node(id=NODE, kind="ec2", created_at=now, changed_at=now, machine=asked_for)
    )

    child = start(idle_timeout="0")

    assert child.wait(PATIENCE) == 0
    node = node_of(engine)
    assert (node.id, node.state, node.detail) == (
        NODE,
        NodeState.GONE,
        "there was nothing to do",
    )
    assert node.machine == Machine(
        name=INSTANCE.id,
        type=INSTANCE.type,
        market=Market.SPOT,
        zone=INSTANCE.zone,
        price=0.07,
        started_at=INSTANCE.pending_time,
    )
    assert node.joined_at is not None
    log = log_of(tmp_path)
    assert [log[0]["event"], log[-1]["event"]] == ["node_joined", "node_left"]
    assert (tmp_path / "stderr").read_text().splitlines()[-1] == json.dumps(log[-1])


def test_what_was_said_on_the_command_line_wins_over_the_tag(
    start: Start, engine: Engine
) -> None:
    said = new_node_id(engine.clock.now())

    assert start("--node-id", said, idle_timeout="0").wait(PATIENCE) == 0

    assert node_of(engine).id == said


def test_a_notice_reaches_a_node_that_waits_for_work(
    start: Start, engine: Engine, imds: Imds, tmp_path: Path
) -> None:
    child = start(idle_timeout="1h")
    eventually(lambda: joined(engine))

    imds.interrupt(datetime.now(UTC) + timedelta(minutes=2))

    assert child.wait(PATIENCE) == 0
    assert node_of(engine).detail.startswith("its machine is taken back at ")
    assert "node_noticed" in [entry["event"] for entry in log_of(tmp_path)]


def test_metadata_that_hangs_holds_up_neither_beats_nor_the_end(
    start: Start, engine: Engine, imds: Imds
) -> None:
    child = start(idle_timeout="1h", lease="1s")
    eventually(lambda: joined(engine))
    imds.hang()
    beat = node_of(engine).beat

    eventually(lambda: node_of(engine).beat > beat + 2)
    child.send_signal(signal.SIGTERM)

    assert child.wait(PATIENCE) == 0
    assert node_of(engine).state is NodeState.GONE


def test_a_node_without_an_encoder_says_so_in_its_record_and_its_log_and_ends(
    start: Start, engine: Engine, tmp_path: Path
) -> None:
    child = start(ffmpeg="false")

    assert child.wait(PATIENCE) == 1
    node = node_of(engine)
    assert (node.id, node.state, node.slots) == (NODE, NodeState.GONE, 0)
    assert "does not run" in node.detail
    last = log_of(tmp_path)[-1]
    assert (last["event"], last["code"]) == ("node_cannot_work", "ENCODER_MISSING")
    assert "does not run" in (tmp_path / "stderr").read_text().splitlines()[-2]


def test_a_node_whose_store_refuses_it_says_so_in_its_log(
    start: Start, tmp_path: Path
) -> None:
    (tmp_path / "not-a-database").write_bytes(b"no" * 4096)

    child = start(
        store=f"sqlite:///{tmp_path}/not-a-database",
        work=file_url(tmp_path / "data" / "work"),
    )

    assert child.wait(PATIENCE) == 1
    assert log_of(tmp_path)[-1]["event"] in {"node_cannot_work", "node_broken"}


def test_a_node_whose_work_area_is_none_ends_and_says_so(
    start: Start, engine: Engine, tmp_path: Path
) -> None:
    (tmp_path / "data" / "work").write_text("a file where a folder should be")

    child = start()

    assert child.wait(PATIENCE) == 1
    assert node_of(engine).state is NodeState.GONE
    assert node_of(engine).detail


def test_a_password_in_its_settings_is_not_in_its_log(start: Start, tmp_path: Path) -> None:
    child = start(
        store="postgresql://nommer:s3cret@127.0.0.1:1/none",
        work=file_url(tmp_path / "data" / "work"),
    )
    path = tmp_path / "stderr"
    eventually(lambda: "service_awaited" in path.read_text() or child.poll() is not None)
    child.send_signal(signal.SIGTERM)

    child.wait(PATIENCE)
    assert "s3cret" not in path.read_text()
    assert "s3cret" not in json.dumps(log_of(tmp_path))
