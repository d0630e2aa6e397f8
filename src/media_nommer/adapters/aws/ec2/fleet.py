"""Nodes that are machines of Amazon EC2, which end themselves."""

import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog
from typing_extensions import override

from media_nommer.adapters.aws.clients import AwsClients, answering
from media_nommer.adapters.aws.ec2.ends import Ends, told_at
from media_nommer.adapters.aws.ec2.hiring import (
    INSTALLATION_TAG,
    NODE_TAG,
    STORE_TAG,
    Hiring,
    NothingLaunched,
    Refusal,
    failure_of,
    launched_in,
    meaning,
    request_for,
)
from media_nommer.adapters.aws.ec2.instances import Listed, read_instance
from media_nommer.adapters.aws.ec2.kept import Kept
from media_nommer.adapters.aws.ec2.places import Places
from media_nommer.adapters.aws.ec2.prices import Prices
from media_nommer.adapters.aws.ec2.types import InstanceTypes
from media_nommer.core.clock import Clock, system_clock
from media_nommer.core.errors import LaunchFailed, NommerError
from media_nommer.core.nodes import Machine, Market, Node, NodeId
from media_nommer.core.ports.fleet import Fleet

if TYPE_CHECKING:
    from types_boto3_ec2 import EC2Client
    from types_boto3_ec2.type_defs import FilterTypeDef

log = structlog.get_logger(__name__)

#: The kind of the nodes of this fleet.
EC2 = "ec2"

#: How long a list of the machines is good: it is free, but who asks all the time is
#: refused by EC2 at last, which lets an account ask some twenty times a second.
_LIST_LASTS = timedelta(seconds=0.5)

#: How long EC2 may take to list what it has told us that it launched.
_LISTED_WITHIN = timedelta(minutes=2)


class Ec2Fleet(Fleet):
    """Starts one machine for a node, of whichever wanted type can be had cheaply.

    A node's machine is started once, and this is what that relies on. Each request carries
    a client token made of the node's id and the market. EC2 answers a request that is
    repeated with its token as it did the first time and does nothing more, and refuses one
    that says something else (after the settings were changed) with
    ``IdempotentParameterMismatch``. Nothing is launched by that; the machine of the first
    request is found by its tag once EC2 lists it, and a node whose machine does not show up
    is given up in time. The next market is asked only after a definite answer that there is
    nothing in the one before, which is then not asked for this node again. That no machine
    is listed proves nothing: lists are behind the times.

    A machine that is shutting down has ended: it takes no work and is paid for no more. One
    that somebody stopped exists. Several feederds may use fleets that look after the same
    machines.
    """

    def __init__(
        self,
        clients: AwsClients,
        hiring: Hiring,
        types: InstanceTypes,
        prices: Prices,
        *,
        clock: Clock = system_clock,
    ) -> None:
        self._clients = clients
        self._hiring = hiring
        self._types = types
        self._prices = prices
        self._clock = clock
        self._places = Places(clients, hiring.subnets, clock)
        self._list = Kept(self._look, lambda _found: _LIST_LASTS, clock)
        self._lock = threading.Lock()
        self._launched: dict[NodeId, tuple[Machine, float]] = {}
        self._refused: dict[NodeId, dict[Market, tuple[Refusal, ...]]] = {}
        self._ends = Ends()
        self._ends_known: frozenset[NodeId] = frozenset()

    @property
    @override
    def outlives_feederd(self) -> bool:
        """Machines of EC2 work on until there is nothing to do."""
        return True

    @override
    def start(self, node: Node) -> Machine:
        """Start the machine of a node, once for its id.

        Raises:
            NoCapacity: no market has one, now.
            QuotaReached: the account has as many as it may have.
            LaunchFailed: none can be started, as things are.
            ServiceUnavailable: it is not known whether one was started.
        """
        known = self.machines().get(node.id)
        if known is not None:
            return known
        for market in self._hiring.markets:
            if self._has_refused(market, node.id):
                continue
            try:
                return self._launch(node, market)
            except NothingLaunched as nothing:
                log.info(
                    "market_has_none", node=node.id, market=market, why=nothing.message
                )
                with self._lock:
                    self._refused.setdefault(node.id, {})[market] = nothing.refusals
        with self._lock:
            refused = self._refused.pop(node.id, {})
        raise failure_of([refusal for refusals in refused.values() for refusal in refusals])

    @override
    def machines(self) -> Mapping[NodeId, Machine]:
        """Return the machines of this installation's nodes, whoever started them.

        The list is half a second old at most. Those that ended are in it for about an hour.
        """
        listed = self._list.get()
        latest = self._clock.monotonic() - _LISTED_WITHIN.total_seconds()
        with self._lock:
            self._launched = {
                node: (machine, at)
                for node, (machine, at) in self._launched.items()
                if node not in listed and at > latest
            }
            unlisted = {node: machine for node, (machine, _) in self._launched.items()}
        return {**unlisted, **listed}

    @override
    def answers_for(self, node: Node) -> bool:
        """Return whether a node is on EC2, whichever feederd started it."""
        return node.kind == EC2

    @override
    def knows_end(self, node_id: NodeId) -> bool:
        """Return whether EC2 told when a machine ended, or it was watched closely then."""
        return node_id in self._ends_known

    @override
    def stop(self, node_id: NodeId) -> None:
        """Do nothing: no way leads into a machine, and its node reads its own record."""

    @override
    def kill(self, node_id: NodeId) -> None:
        """Terminate a node's machine; its disk goes with it."""
        with self._lock:
            launched = self._launched.pop(node_id, None)
        names = {each.machine.name for each in self._listed(node_id)[0] if not each.over}
        if launched is not None:
            names.add(launched[0].name)
        for name in sorted(names):
            self._terminate(name)
        self._list.forget()

    def _launch(self, node: Node, market: Market) -> Machine:
        """Have a machine launched, or be told for certain that this market has none."""
        client: EC2Client = self._clients.client("ec2")
        facts = self._types.facts(self._hiring.types)
        zones = self._places.zones()
        request = request_for(node.id, market, self._hiring, facts, list(zones))
        try:
            with answering("ec2", lambda code, said: meaning(market, code, said)):
                answer = client.create_fleet(**request)
            found = launched_in(answer, market)
        except (LaunchFailed, NothingLaunched):
            self._places.forget()
            raise
        machine = self._machine_of(found, market, zones)
        with self._lock:
            self._launched[node.id] = (machine, self._clock.monotonic())
            self._refused.pop(node.id, None)
        log.info(
            "machine_launched",
            node=node.id,
            machine=machine.name,
            type=machine.type,
            market=machine.market,
            zone=machine.zone,
        )
        return machine

    def _machine_of(
        self, found: Mapping[str, Any], market: Market, zones: Mapping[str, str]
    ) -> Machine:
        """Return what was launched; the list that has it first says when that was."""
        overrides = found.get("LaunchTemplateAndOverrides", {}).get("Overrides", {})
        subnet = found.get("SubnetId") or overrides.get("SubnetId", "")
        kind = found.get("InstanceType", "")
        zone = found.get("AvailabilityZone") or zones.get(subnet, "")
        return Machine(
            name=found["InstanceIds"][0],
            type=kind,
            market=market,
            zone=zone,
            price=self._prices.of(kind, market, zone),
        )

    def _has_refused(self, market: Market, node: NodeId) -> bool:
        with self._lock:
            return market in self._refused.get(node, {})

    def _look(self) -> Mapping[NodeId, Machine]:
        """Return the machines as EC2 lists them now; one for each node."""
        found: dict[NodeId, Listed] = {}
        listed, at = self._listed()
        self._ends.see(listed, at)
        for each in sorted(listed, key=_oldest_living_first):
            first = found.setdefault(each.node, each)
            if first is not each and not each.over:
                log.error(
                    "node_has_two_machines",
                    node=each.node,
                    machines=[first.machine.name, each.machine.name],
                )
        self._ends_known = frozenset(
            node for node, each in found.items() if self._ends.knows(each.machine.name)
        )
        return {node: self._completed(each) for node, each in found.items()}

    def _completed(self, listed: Listed) -> Machine:
        """Return a machine with its price, and with its end, if only as we found it."""
        machine = listed.machine
        if listed.over:
            machine = replace(machine, ended_at=self._ends.ended_at(machine.name))
        price = self._prices.of(machine.type, machine.market, machine.zone)
        return replace(machine, price=price)

    def _listed(self, node_id: NodeId | None = None) -> tuple[list[Listed], datetime]:
        """Return the machines that EC2 lists, all or those of one node, and when it did."""
        client: EC2Client = self._clients.client("ec2")
        filters: list[FilterTypeDef] = [
            {"Name": f"tag:{INSTALLATION_TAG}", "Values": [self._hiring.installation]},
            {"Name": f"tag:{STORE_TAG}", "Values": [self._hiring.store]},
            {"Name": f"tag:{NODE_TAG}", "Values": [node_id or "*"]},
        ]
        found: list[Listed] = []
        at = self._clock.now()
        with answering("ec2"):
            for page in client.get_paginator("describe_instances").paginate(
                Filters=filters, PaginationConfig={"PageSize": 1000}
            ):
                at = told_at(page, self._clock.now())
                for reservation in page.get("Reservations", ()):
                    found += map(read_instance, reservation.get("Instances", ()))
        return found, at

    def _terminate(self, name: str) -> None:
        client: EC2Client = self._clients.client("ec2")
        try:
            with answering("ec2", _unknown):
                client.terminate_instances(InstanceIds=[name])
        except _UnknownMachine:
            return  # it ended long ago, or is so new that it will be listed
        log.info("machine_terminated", machine=name)


class _UnknownMachine(NommerError):
    """EC2 knows no machine by a name."""


def _unknown(code: str, said: str) -> NommerError | None:
    return _UnknownMachine(said) if code == "InvalidInstanceID.NotFound" else None


def _oldest_living_first(listed: Listed) -> tuple[bool, float, str]:
    started = listed.machine.started_at
    return listed.over, started.timestamp() if started else 0.0, listed.machine.name
