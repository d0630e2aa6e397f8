"""What becomes of the nodes when feederd is asked to stop."""

from datetime import timedelta
from pathlib import Path

import pytest
from typing_extensions import override

from media_nommer import wiring
from media_nommer.adapters.memory import MemoryFleet
from media_nommer.conf import load_settings
from media_nommer.core.nodes import NodeId
from media_nommer.daemons.feederd import feed_until_asked
from media_nommer.feederd.patience import JanitorPolicy
from media_nommer.feederd.running import Signals
from media_nommer.planning.fleet.scaling import NodeKind
from media_nommer.testing.samples import a_node


class Fleet(MemoryFleet):
    """A fleet whose nodes end when they are asked to, and may work on without feederd."""

    def __init__(self, *, outlives: bool) -> None:
        super().__init__()
        self._outlives = outlives
        self.asked_to_stop: list[NodeId] = []

    @property
    @override
    def outlives_feederd(self) -> bool:
        return self._outlives

    @override
    def stop(self, node_id: NodeId) -> None:
        self.asked_to_stop.append(node_id)
        self.end(node_id)


@pytest.mark.parametrize("outlives", [True, False])
def test_only_nodes_that_cannot_do_without_feederd_end_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, outlives: bool
) -> None:
    fleet = Fleet(outlives=outlives)
    node = a_node()
    fleet.start(node)
    parts = wiring.FleetParts(
        fleet=fleet,
        offer=lambda: [NodeKind(name="local")],
        patience=JanitorPolicy(unknown_for=timedelta(days=1)),
        look_every=timedelta(seconds=1),
    )
    monkeypatch.setattr(wiring, "open_fleet", lambda _settings: parts)
    said = {"data_dir": tmp_path, "store": "memory://", "work": "memory://w", "port": 0}
    signals, told = Signals(), []

    def announce(sentence: str) -> None:
        told.append(sentence)
        if "listens" in sentence:
            signals.ask()

    settings = load_settings(said, environ={"NOMMER_CONFIG": ""})
    assert feed_until_asked(settings, signals, announce=announce) == 0

    assert fleet.asked_to_stop == ([] if outlives else [node.id])
    assert fleet.alive() == ({node.id} if outlives else frozenset())
    assert ("the workers go on" in told[-1]) is outlives
