"""EC2's answers about instances, and the instances themselves; moto answers the rest."""

import base64
import secrets
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from tests.pocket.instances import OVER, Instance, user_initiated
from tests.pocket.launching import Launching, Wish, checked_tags
from tests.pocket.listing import check_known, describe_instances
from tests.pocket.market import Supply
from tests.pocket.query import Refused


class Halt(NamedTuple):
    """How an instance is ended: politely, or with all its processes killed at once."""

    reason: str
    why: str
    politely: bool


#: Why instances end, in EC2's words.
USER = "Client.UserInitiatedShutdown: User initiated shutdown"
SHUTDOWN = "Client.InstanceInitiatedShutdown: Instance initiated shutdown"
SPOT = "Server.SpotInstanceTermination: Spot instance termination"
BROKEN = "Server.InternalError: Internal error on launch"


@dataclass
class Orders:
    """What is to happen that usually does not. Spans are in seconds."""

    #: How long an instance is pending.
    boot: float = 0.2
    #: How long a new instance is not listed, nor known by its id.
    listed_after: float = 0.0
    #: How long one that has ended is listed.
    shown_ended: float = 3600.0
    #: So many launches from now make instances that never boot.
    dead: int = 0
    #: Whether new instances keep their files when they switch themselves off.
    held: bool = False
    #: So many answers to an action are lost on the way, after it was done.
    lost_answers: Counter[str] = field(default_factory=Counter)


class Ec2:
    """The instances of an account. Any thread may ask.

    ``boot`` is called for each instance once it is made, and ``halt`` for one that is to
    end; neither may block. ``moto`` is a client of moto's EC2, where subnets and launch
    templates are.
    """

    def __init__(
        self,
        moto: Any,
        *,
        boot: Callable[[Instance], None],
        halt: Callable[[Instance, Halt], None],
    ) -> None:
        self.orders = Orders()
        self.supply = Supply()
        self.calls: Counter[str] = Counter()
        #: When somebody looked which instances there are.
        self.looks: list[datetime] = []
        self.lock = threading.RLock()
        self._moto = moto
        self._boot, self._halt = boot, halt
        self._instances: list[Instance] = []
        self._subnets: dict[str, str] = {}
        self._launching = Launching(self.supply, self._template, self._zone_of, self._make)
        self._actions: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
            "CreateFleet": self._launching.create_fleet,
            "DescribeInstances": self._describe,
            "DescribeSpotPriceHistory": self._prices,
            "GetConsoleOutput": self._console,
            "RunInstances": self._launching.run_instances,
            "TerminateInstances": self._terminate,
        }
        #: Gives what an instance has printed.
        self.console: Callable[[Instance], str] = lambda _instance: ""

    def knows(self, action: str) -> bool:
        """Return whether an action is answered here."""
        return action in self._actions

    def answer(self, action: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """Do what is asked.

        Raises:
            Refused: it cannot be done.
        """
        with self.lock:
            self.calls[action] += 1
            return self._actions[action](request)

    def loses_answer(self, action: str) -> bool:
        """Return whether the answer that is about to be given is to be lost."""
        with self.lock:
            lost = self.orders.lost_answers[action] > 0
            self.orders.lost_answers[action] -= lost
            return lost

    @property
    def instances(self) -> Sequence[Instance]:
        """All instances that there ever were, in the order of their launches."""
        with self.lock:
            return list(self._instances)

    def _shown(self) -> Sequence[Instance]:
        now = datetime.now(UTC)
        late = timedelta(seconds=self.orders.listed_after)
        kept = timedelta(seconds=self.orders.shown_ended)
        return [
            instance
            for instance in self._instances
            if instance.launched_at + late <= now
            and (instance.off_at is None or instance.off_at + kept > now)
        ]

    def _describe(self, request: Mapping[str, Any]) -> dict[str, Any]:
        self.looks.append(datetime.now(UTC))
        return describe_instances(request, self._shown())

    def _make(self, wish: Wish, asked: Mapping[str, str], token: str) -> Instance:
        tags = checked_tags(wish.template, asked)
        with self.lock:
            now = datetime.now(UTC)
            instance = Instance(
                id=f"i-{secrets.token_hex(8)}9",
                type=wish.pool.type,
                zone=wish.pool.zone,
                subnet=wish.subnet,
                market=wish.pool.market,
                price=self.supply.price(wish.pool),
                made_at=now,
                launched_at=now.replace(microsecond=0),
                template=wish.template,
                tags=tags,
                token=token,
                number=len(self._instances),
            )
            self._instances.append(instance)
            dead, self.orders.dead = self.orders.dead > 0, max(0, self.orders.dead - 1)
        if not dead:
            self._boot(instance)
        return instance

    def _terminate(self, request: Mapping[str, Any]) -> dict[str, Any]:
        wanted = request["InstanceIds"]
        check_known(wanted, self._shown())
        changes = []
        for instance in self._instances:
            if instance.id in wanted:
                before = instance.stated()
                self.end(instance, Halt(user_initiated(), USER, politely=True))
                changes.append(
                    {
                        "InstanceId": instance.id,
                        "PreviousState": before,
                        "CurrentState": instance.stated(),
                    }
                )
        return {"TerminatingInstances": changes}

    def end(self, instance: Instance, halt: Halt) -> None:
        """Have an instance ended, unless it is already ending."""
        with self.lock:
            if instance.state in OVER:
                return
            instance.enter("shutting-down", reason=halt.reason, why=halt.why)
        self._halt(instance, halt)

    def _prices(self, request: Mapping[str, Any]) -> dict[str, Any]:
        self._zone_of(None)
        return self.supply.history(request, sorted(set(self._subnets.values())))

    def _console(self, request: Mapping[str, Any]) -> dict[str, Any]:
        check_known([request["InstanceId"]], self._shown())
        found = next(i for i in self._instances if i.id == request["InstanceId"])
        output = base64.b64encode(self.console(found).encode()).decode()
        return {"InstanceId": found.id, "Output": output, "Timestamp": datetime.now(UTC)}

    def _template(self, said: Mapping[str, Any]) -> Mapping[str, Any]:
        named = {
            k: said[k] for k in ("LaunchTemplateId", "LaunchTemplateName") if k in said
        }
        try:
            found = self._moto.describe_launch_template_versions(
                **named, Versions=[said.get("Version", "$Default")]
            )["LaunchTemplateVersions"]
        except ClientError as error:
            refused = error.response["Error"]
            raise Refused(refused["Code"], refused["Message"]) from error
        if not found:
            raise Refused("InvalidLaunchTemplateName.NotFoundException", f"{said}")
        data: Mapping[str, Any] = found[0]["LaunchTemplateData"]
        return data

    def _zone_of(self, subnet: str | None) -> tuple[str, str]:
        """Return a subnet, the first where none is said, and its zone."""
        if not self._subnets or (subnet and subnet not in self._subnets):
            found = self._moto.describe_subnets()["Subnets"]
            self._subnets = {each["SubnetId"]: each["AvailabilityZone"] for each in found}
        if subnet is None:
            subnet = min(self._subnets, key=lambda each: self._subnets[each])
        if subnet not in self._subnets:
            said = f"The subnet ID '{subnet}' does not exist"
            raise Refused("InvalidSubnetID.NotFound", said)
        return subnet, self._subnets[subnet]

    def settle(self, instance: Instance, state: str, **said: str) -> None:
        """Change the state of an instance, unless it is further already."""
        order = ("pending", "running", "shutting-down", "terminated")
        with self.lock:
            if order.index(state) > order.index(instance.state):
                instance.enter(state, **said)
