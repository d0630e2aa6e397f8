"""Where moto's EC2 is not Amazon's, and what Amazon's may do that tests ask for.

What is corrected here, each from Amazon's API reference and developer guide:

- CreateFleet with a client token that was used before answers as it did and launches
  nothing; with other parameters it is refused with IdempotentParameterMismatch (moto
  launches again);
- a market without capacity launches nothing, and the answer lists an error for each of the
  overrides (moto has room for everybody);
- DescribeInstances may lag behind: what was launched a moment ago is not listed (moto lists
  it at once);
- InstanceLifecycle is ``spot`` for what was launched on that market.
"""

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.instances import InstanceBackend
from moto.ec2.responses.fleets import Fleets

_create_fleet = Fleets.create_fleet
_describe = InstanceBackend.describe_instances


class Ec2World:
    """What EC2 does in a test, beyond what moto does."""

    def __init__(self) -> None:
        #: How many instances were ever launched, in both markets.
        self.launched = 0
        #: The markets without capacity, and the error code that each answers with.
        self.refusals: dict[str, str] = {}
        #: The markets whose whole request is refused with an error, by its code.
        self.errors: dict[str, str] = {}
        #: How many answers get lost of a market that launched something.
        self.lost_answers: dict[str, int] = {}
        #: Whether what is launched from now on is not listed yet.
        self.lagging = False
        #: Every request that reached CreateFleet, by its market.
        self.asked: list[str] = []
        self._unlisted: set[str] = set()
        self._answers: dict[str, tuple[str, Any]] = {}
        self._lock = threading.RLock()

    def catch_up(self) -> None:
        """List all that was launched."""
        self.lagging = False
        self._unlisted.clear()

    def create_fleet(self, fleets: Fleets) -> ActionResult:
        """Answer a CreateFleet request."""
        with self._lock:
            token = fleets._get_param("ClientToken")
            market = fleets._get_param(
                "TargetCapacitySpecification.DefaultTargetCapacityType"
            )
            said = json.dumps(sorted((k, v) for k, v in fleets.data.items()), default=str)
            self.asked.append(market)
            if token is None or token not in self._answers:
                answer = self._launch(fleets, market)
                if token is None:
                    return answer
                self._answers[token] = (said, answer)
            first, answer = self._answers[token]
            if first != said:
                raise _error(
                    "IdempotentParameterMismatch", "The parameters are not the same."
                )
            if self.lost_answers.get(market):
                self.lost_answers[market] -= 1
                raise _error("InternalError", "The answer was lost.")
            return answer

    def listed(self, reservations: list[Any]) -> list[Any]:
        """Return the reservations whose instances are listed by now."""
        return [
            each
            for each in reservations
            if not {instance.id for instance in each.instances} & self._unlisted
        ]

    def _launch(self, fleets: Fleets, market: str) -> ActionResult:
        if market in self.errors:
            raise _error(self.errors[market], f"{market} was refused.")
        if market in self.refusals:
            return _refused(fleets, market, self.refusals[market])
        answer = _create_fleet(fleets)
        for launched in answer.result["Instances"]:
            for name in launched["InstanceIds"]:
                fleets.ec2_backend.get_instance(name).lifecycle = (
                    "spot" if market == "spot" else None
                )
                self.launched += 1
                if self.lagging:
                    self._unlisted.add(name)
        return ActionResult(answer.result | {"Errors": []})


def correct(patch: pytest.MonkeyPatch) -> Ec2World:
    """Let moto's EC2 do as Amazon's does, until ``patch`` is undone."""
    world = Ec2World()
    patch.setattr(Fleets, "create_fleet", lambda fleets: world.create_fleet(fleets))
    patch.setattr(InstanceBackend, "describe_instances", _listing(world))
    return world


def _listing(world: Ec2World) -> Callable[..., list[Any]]:
    def describe(self: Any, filters: Any = None) -> list[Any]:
        return world.listed(_describe(self, filters))

    return describe


def _refused(fleets: Fleets, market: str, code: str) -> ActionResult:
    errors = [
        {
            "LaunchTemplateAndOverrides": {
                "LaunchTemplateSpecification": config["LaunchTemplateSpecification"],
                "Overrides": override,
            },
            "Lifecycle": market,
            "ErrorCode": code,
            "ErrorMessage": f"There is none of {override['InstanceType']}.",
        }
        for config in fleets._get_param("LaunchTemplateConfigs", [])
        for override in config["Overrides"]
    ]
    return ActionResult({"FleetId": "fleet-refused", "Errors": errors, "Instances": []})


def _error(code: str, said: str) -> EC2ClientError:
    return EC2ClientError(code, said)
