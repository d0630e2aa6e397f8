"""Roles: what machines may do, handed to them by an instance profile."""

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from typing_extensions import override

from media_nommer.adapters.aws.clients import AwsClients, answering, code_of
from media_nommer.adapters.aws.setup.blueprint import Role
from media_nommer.adapters.aws.setup.parts.part import FINE, NOTHING, Look, Part, judged
from media_nommer.adapters.aws.setup.policies import trust
from media_nommer.adapters.aws.setup.site import OURS, Site, tag_list
from media_nommer.core.errors import InvalidSetting

if TYPE_CHECKING:
    from types_boto3_iam import IAMClient

#: The service that starts spot machines, and has a role of its own for it.
_SPOT = "spot.amazonaws.com"
_THERE = frozenset({"EntityAlreadyExists", "InvalidInput"})


class RolePart(Part):
    """A role, its policies, and the instance profile of its name."""

    kind = "role"

    def __init__(self, clients: AwsClients, site: Site, role: Role) -> None:
        self._site = site
        self._role = role
        self._iam: IAMClient = clients.client("iam")

    @property
    @override
    def name(self) -> str:
        return self._role.name

    @override
    def look(self) -> Look:
        with answering("iam"):
            found = _unless_absent(self._iam.get_role, RoleName=self._role.name)
            if found is None:
                return NOTHING
            role = found["Role"]
            self._check(role.get("Tags", ()))
            return judged(
                [
                    *self._of_trust(role),
                    *self._of_policies(),
                    *self._of_profile(),
                ]
            )

    @override
    def make(self) -> None:
        name, role_trust = self._role.name, json.dumps(trust(self._site.partition))
        tags = tag_list(self._site.tags)
        with answering("iam"):
            found = _unless_absent(self._iam.get_role, RoleName=name)
            if found is None:
                self._iam.create_role(
                    RoleName=name,
                    AssumeRolePolicyDocument=role_trust,
                    Description=self._role.description,
                    Tags=tags,
                )
            else:
                self._iam.update_assume_role_policy(
                    RoleName=name, PolicyDocument=role_trust
                )
            for each, wanted in self._role.policies.items():
                self._iam.put_role_policy(
                    RoleName=name, PolicyName=each, PolicyDocument=json.dumps(wanted)
                )
            for other in set(self._policy_names()) - set(self._role.policies):
                self._iam.delete_role_policy(RoleName=name, PolicyName=other)
            self._make_profile(tags)

    @override
    def remove(self) -> None:
        name = self._role.name
        with answering("iam"):
            profile = _unless_absent(
                self._iam.get_instance_profile, InstanceProfileName=name
            )
            if profile is not None:
                for role in profile["InstanceProfile"]["Roles"]:
                    self._iam.remove_role_from_instance_profile(
                        InstanceProfileName=name, RoleName=role["RoleName"]
                    )
                self._iam.delete_instance_profile(InstanceProfileName=name)
            if _unless_absent(self._iam.get_role, RoleName=name) is not None:
                for each in self._policy_names():
                    self._iam.delete_role_policy(RoleName=name, PolicyName=each)
                self._iam.delete_role(RoleName=name)

    def _check(self, tags: Any) -> None:
        if {"Key": OURS, "Value": self._site.installation} not in tags:
            raise InvalidSetting(
                f"there is a role {self._role.name} that `nommer aws up` has not made",
                advice="Choose another `installation`, or remove that role.",
            )

    def _of_trust(self, role: Mapping[str, Any]) -> list[str]:
        same = role["AssumeRolePolicyDocument"] == trust(self._site.partition)
        return [] if same else ["who may act as it"]

    def _of_policies(self) -> list[str]:
        found = {
            name: self._iam.get_role_policy(RoleName=self._role.name, PolicyName=name)
            for name in self._policy_names()
        }
        differing = [
            name
            for name in sorted({*found, *self._role.policies})
            if name not in found
            or found[name]["PolicyDocument"] != self._role.policies.get(name)
        ]
        return [f"the policy {name}" for name in differing]

    def _of_profile(self) -> list[str]:
        name = self._role.name
        found = _unless_absent(self._iam.get_instance_profile, InstanceProfileName=name)
        roles = found["InstanceProfile"]["Roles"] if found else []
        same = [role["RoleName"] for role in roles] == [name]
        return [] if same else ["the instance profile"]

    def _make_profile(self, tags: Any) -> None:
        name = self._role.name
        found = _unless_absent(self._iam.get_instance_profile, InstanceProfileName=name)
        if found is None:
            self._iam.create_instance_profile(InstanceProfileName=name, Tags=tags)
        roles = found["InstanceProfile"]["Roles"] if found else []
        if not roles:
            self._iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)

    def _policy_names(self) -> list[str]:
        return self._iam.list_role_policies(RoleName=self._role.name)["PolicyNames"]


class SpotRolePart(Part):
    """The role by which EC2 starts spot machines for this account."""

    kind = "spot role"
    of_account = True

    def __init__(self, clients: AwsClients) -> None:
        self._iam: IAMClient = clients.client("iam")

    @property
    @override
    def name(self) -> str:
        return "of EC2, for the whole account"

    @override
    def look(self) -> Look:
        with answering("iam"):
            found = self._iam.list_roles(PathPrefix=f"/aws-service-role/{_SPOT}/")["Roles"]
        return FINE if found else NOTHING

    @override
    def make(self) -> None:
        with answering("iam"):
            try:
                self._iam.create_service_linked_role(AWSServiceName=_SPOT)
            except ClientError as error:
                if code_of(error) not in _THERE:  # somebody may have made it meanwhile
                    raise

    @override
    def remove(self) -> None:
        """Leave it: others of the account may use it."""


def _unless_absent(call: Callable[..., Any], **request: Any) -> Any | None:
    try:
        return call(**request)
    except ClientError as error:
        if code_of(error) != "NoSuchEntity":
            raise
        return None
