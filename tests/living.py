"""A node that lives in a thread of the test, and work for it that waits to be let go."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from typing_extensions import override

from media_nommer.core.errors import Failure
from media_nommer.core.nodes import Node, NodeState
from media_nommer.core.tasks import Result
from media_nommer.core.workflow.engine import Engine
from media_nommer.ec2nommerd.nommers.base import Nommer
from media_nommer.ec2nommerd.nommers.work import Work
from media_nommer.ec2nommerd.running import RunningNode

#: How long a busy machine may take for what takes it a moment, in seconds.
PATIENCE = 120


class Patient(Nommer):
    """Works until it is let go, or must stop; then says that its output failed."""

    def __init__(self, reached: float = 0.0) -> None:
        self.begun = threading.Event()
        self.let_go = threading.Event()
        self.reached = reached

    @override
    def nom(self, work: Work) -> Result:
        work.report(self.reached)
        self.begun.set()
        while not self.let_go.wait(0.01):
            work.check()
        return Result(failures={0: Failure(code="X", message="no film")})


class Living:
    """A node that lives in a thread, and what became of it."""

    def __init__(self, node: RunningNode, engine: Engine) -> None:
        self.node = node
        self.in_order: bool | None = None
        self._engine = engine
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        eventually(lambda: self.state is not None)

    def _run(self) -> None:
        self.in_order = self.node.run()

    @property
    def record(self) -> Node:
        """The node's record, which must be there."""
        return self._engine.store.nodes(gone=True)[0]

    @property
    def state(self) -> NodeState | None:
        nodes = self._engine.store.nodes(gone=True)
        return nodes[0].state if nodes else None

    def ends(self) -> bool:
        self._thread.join(PATIENCE)
        return not self._thread.is_alive()


def eventually(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until, "it never came true"
        time.sleep(0.005)


@contextmanager
def a_folder(_name: str, root: Path) -> Iterator[Path]:
    yield root
