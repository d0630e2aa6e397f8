"""ec2nommerd as a process: settings in, exit status out."""

import argparse
import os
import secrets
import sys
from contextlib import ExitStack, suppress
from dataclasses import replace

import structlog

from media_nommer import wiring
from media_nommer.conf import load_settings
from media_nommer.conf.logs import set_up_logs
from media_nommer.conf.settings import Settings
from media_nommer.core.clock import Clock, system_clock
from media_nommer.core.errors import AlreadyExists, NommerError
from media_nommer.core.nodes import Node, NodeId
from media_nommer.core.workflow.changes import change_node
from media_nommer.core.workflow.engine import Engine
from media_nommer.daemons.opening import (
    AskedToStop,
    opened_engine,
    patiently,
    stopping_at_once,
)
from media_nommer.ec2nommerd.attempts import AttemptRunner
from media_nommer.ec2nommerd.running import NodePolicy, RunningNode, leaving_on_signals

log = structlog.get_logger(__name__)

#: What a node is called that somebody started by hand, and one that a fleet started.
BY_HAND, BY_FLEET = "hand", "local"


def run_worker(
    settings: Settings, node_id: str | None = None, *, kept: bool = False
) -> int:
    """Take tasks until there is nothing to do, or SIGTERM; return the exit status.

    ``node_id`` is that of the launch intent of whoever started us, None for one of our own.
    A ``kept`` node never leaves for idleness. A store that is away at the start is waited
    for.

    Raises:
        EncoderMissing: there is no usable FFmpeg.
        NommerError: the store or the queue cannot be opened.
    """
    set_up_logs(settings.log_level, settings.log_format)
    work = wiring.work_policy(settings)
    policy = NodePolicy(
        slots=settings.slots_in_force,
        idle_timeout=settings.idle_timeout,
        drain_timeout=settings.drain_timeout,
    )
    node = NodeId(node_id) if node_id else _new_id(system_clock)
    kind = BY_FLEET if node_id else BY_HAND
    with ExitStack() as stack:
        try:
            with stopping_at_once():
                engine = stack.enter_context(
                    opened_engine(settings, scratch=wiring.scratch_folder(settings, node))
                )
                if kept:
                    patiently(lambda: _keep(engine, node, kind))
        except AskedToStop:
            log.info("node_never_joined", node=node)
            return 0
        requests = stack.enter_context(leaving_on_signals())
        parts = stack.enter_context(wiring.worker_parts(settings, node))
        runner = AttemptRunner(
            engine=engine,
            policy=work,
            nommers=parts.nommers,
            scratch=parts.scratch.attempt,
        )
        running = RunningNode(engine, work, policy, runner, node=node, kind=kind)
        requests.go_to(running)
        in_order = running.run()
    if not in_order:
        log.error("slots_did_not_stop", node=node)
        os._exit(1)  # a thread that does not end would keep the process; claims lapse
    return 0


def _keep(engine: Engine, node_id: NodeId, kind: str) -> None:
    """Have the node's record say that it stays."""
    now = engine.clock.now()
    node = Node(id=node_id, kind=kind, created_at=now, changed_at=now, kept=True)
    with suppress(AlreadyExists):
        engine.store.add_node(node)
    change_node(engine.store, node_id, lambda latest: replace(latest, kept=True))


def _new_id(clock: Clock) -> NodeId:
    """Return an id that nobody else has; ids sort by the time they were given."""
    millis = int(clock.now().timestamp() * 1000)
    return NodeId(f"n{millis:011x}{secrets.token_hex(3)}")


def main() -> int:
    """Run ec2nommerd; return its exit status."""
    parser = argparse.ArgumentParser("ec2nommerd", description=__doc__)
    parser.add_argument("--node-id", help="the id of the launch intent of who starts it")
    parser.add_argument("--kept", action="store_true", help="never leave for idleness")
    said = parser.parse_args()
    try:
        return run_worker(load_settings(), said.node_id, kept=said.kept)
    except NommerError as error:
        sys.stderr.write(f"ec2nommerd: {error.message}\n{error.advice}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
