"""An installation on AWS: looked for, made, and taken down, as some settings want it."""

import time
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any

from media_nommer.adapters.aws.clients import AwsClients, answering
from media_nommer.adapters.aws.setup.baking import Baking, bake
from media_nommer.adapters.aws.setup.blueprint import Blueprint, Group, Image, Role
from media_nommer.adapters.aws.setup.bundle import Bundle
from media_nommer.adapters.aws.setup.checking import (
    check_feederd,
    check_launch,
    check_parts,
    check_quotas,
    check_rights,
    check_sealing_key,
)
from media_nommer.adapters.aws.setup.cloudformation import cloudformation
from media_nommer.adapters.aws.setup.drafting import LEAST_GIB, Draft, architecture_of
from media_nommer.adapters.aws.setup.images import find_images
from media_nommer.adapters.aws.setup.parts.buckets import BucketPart
from media_nommer.adapters.aws.setup.parts.bundles import BundlePart, BundlesPart
from media_nommer.adapters.aws.setup.parts.groups import GroupPart
from media_nommer.adapters.aws.setup.parts.images import ImagesPart
from media_nommer.adapters.aws.setup.parts.machines import FeederdPart, MachinesPart
from media_nommer.adapters.aws.setup.parts.part import Part, Standing
from media_nommer.adapters.aws.setup.parts.queues import QueuesPart
from media_nommer.adapters.aws.setup.parts.records import DomainPart, TablePart
from media_nommer.adapters.aws.setup.parts.roles import RolePart, SpotRolePart
from media_nommer.adapters.aws.setup.parts.sealing_keys import SealingKeyPart
from media_nommer.adapters.aws.setup.parts.templates import OldTemplatePart, TemplatePart
from media_nommer.adapters.aws.setup.plans import Plan, plan_down, plan_up
from media_nommer.adapters.aws.setup.policies import Policy, feederd_policy, node_policy
from media_nommer.adapters.aws.setup.reach import Reach, reach_of_feederd
from media_nommer.adapters.aws.setup.setup_policies import setup_policy
from media_nommer.adapters.aws.setup.site import Architecture, Site
from media_nommer.adapters.aws.setup.user_data import Purpose
from media_nommer.adapters.aws.setup.wishes import Wish, places_of, site_of
from media_nommer.core.errors import InvalidSetting, SetupFailed
from media_nommer.core.findings import Finding


class Installation:
    """What is wanted, and what is there; each is looked up once."""

    def __init__(
        self,
        clients: AwsClients,
        wish: Wish,
        bundle_for: Callable[[Architecture], Bundle],
    ) -> None:
        self._clients = clients
        self._wish = wish
        self._bundle_for = bundle_for

    def plan_up(self) -> Plan:
        """Return what makes the installation as it is wanted; nothing is done yet."""
        return plan_up(self.parts)

    def plan_down(self, *, delete_data: bool) -> Plan:
        """Return what takes the installation down; nothing is done yet."""
        site, ec2 = self.site, self._clients.client("ec2")
        names = [site.feederd, *map(site.template, Architecture)]
        groups = [
            Group(name=each, description="", vpc="", outbound=frozenset())
            for each in (site.feederd, site.node)
        ]
        roles = [Role(name=each, policies={}) for each in (site.feederd, site.node)]
        return plan_down(
            [
                *(OldTemplatePart(ec2, site, name) for name in names),
                MachinesPart(self._clients, site),
                *(GroupPart(self._clients, site, group) for group in groups),
                *(RolePart(self._clients, site, role) for role in roles),
                ImagesPart(self._clients, site),
                QueuesPart(self._clients, site),
                *self._records,
                *self._sealing_key,
                BundlesPart(self._clients, site),
                BucketPart(self._clients, site, self._draft.log_days),
            ],
            delete_data=delete_data,
        )

    @cached_property
    def site(self) -> Site:
        """Where the installation is, and what its parts are called."""
        return self._site(self._who.split(":")[1], self._who.split(":")[4])

    @property
    def region(self) -> str:
        """The region that all of it is in.

        Raises:
            InvalidSetting: nobody has said one.
        """
        if not self._clients.region:
            raise InvalidSetting(
                "no AWS region is known",
                advice="Set `aws_region`, or AWS_REGION, or one in your profile.",
            )
        return self._clients.region

    @property
    def places(self) -> Mapping[str, str]:
        """The settings by which feederd finds the installation."""
        return places_of(self.site)

    def bundle(self, architecture: Architecture) -> Bundle:
        """Return what machines of an architecture install."""
        return self._draft.bundle(architecture)

    @property
    def blueprint(self) -> Blueprint:
        """All that the installation is made of, as it is wanted."""
        return self._draft.blueprint

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """All parts, in the order in which they are made."""
        clients, blueprint, site = self._clients, self.blueprint, self.site
        groups = {each.name: GroupPart(clients, site, each) for each in blueprint.groups}
        return (
            BucketPart(clients, site, blueprint.log_days),
            QueuesPart(clients, site),
            *self._records,
            *self._sealing_key,
            *([SpotRolePart(clients)] if blueprint.spot else []),
            *(RolePart(clients, site, role) for role in blueprint.roles),
            *groups.values(),
            *(BundlePart(clients, site, bundle) for bundle in self._draft.bundles),
            *(
                TemplatePart(clients, site, each, groups[each.group].id)
                for each in blueprint.templates
            ),
            *([self.feederd] if self.feederd is not None else []),
        )

    @cached_property
    def feederd(self) -> FeederdPart | None:
        """The machine of feederd, None where it is not wanted on one."""
        if self._wish.feederd is None:
            return None
        (template,) = (t for t in self.blueprint.templates if t.name == self.site.feederd)
        subnet = next(iter(self._wish.subnets), None)
        return FeederdPart(self._clients, self.site, template, subnet)

    def reach(self, *, wait: bool = False) -> Reach | None:
        """Return where feederd is reached, None where it has no machine of its own.

        With ``wait``, EC2 has some time to start that machine.
        """
        return reach_of_feederd(self._clients.client("ec2"), self.site, wait=wait)

    def check(self, *, max_nodes: int) -> Iterator[Finding]:
        """Yield what is found about parts, rights and quotas."""
        yield Finding(
            what="account",
            ok=True,
            detail=f"{self.site.account}, {self.region}, as {self._who}",
        )
        plan = self.plan_up()
        yield from check_parts(plan)
        rights = feederd_policy(self.site)
        yield check_rights(self._clients, self.site, rights, self._who)
        if self.site.parameter is not None:
            yield check_sealing_key(self._clients, self.site.parameter, self._who)
        if (reach := self.reach()) is not None:
            yield check_feederd(reach)
        if not plan.to_do:
            for each in self._draft.architectures:
                yield check_launch(self._clients, self.site, self.site.template(each))
        yield from check_quotas(
            self._clients, self._draft.type_facts, max_nodes, spot=self._wish.spot
        )

    def bake(
        self,
        base: str,
        tell: Callable[[str], None],
        *,
        pause: Callable[[float], None] = time.sleep,
    ) -> Mapping[str, str]:
        """Return the image that is baked for each architecture; it takes minutes.

        Raises:
            SetupFailed: the installation is not whole, or a machine could not install.
        """
        lacking = [step.title for step in self.plan_up().to_do]
        if lacking:
            raise SetupFailed(
                f"the installation is not as wanted: {', '.join(lacking)}",
                advice="Run `nommer aws up` first.",
            )
        bases = find_images(self._clients, base, self._draft.architectures)
        return {
            each: bake(
                self._clients, self.site, self._baking(bases[each]), tell, pause=pause
            )
            for each in self._draft.architectures
        }

    def template(self) -> Mapping[str, Any]:
        """Return the CloudFormation template of what `plan_up` would make."""
        return cloudformation(self.blueprint, subnet=next(iter(self._wish.subnets), None))

    def policies(self, account: str | None = None) -> Mapping[str, Policy]:
        """Return the policies of nodes, of feederd, and of who sets up.

        Nothing is called where ``account`` is given: who asks may have no rights yet.
        """
        site = self.site if account is None else self._site("aws", account)
        return {
            "node": node_policy(site),
            "feederd": feederd_policy(site),
            "setup": setup_policy(site),
        }

    def has_records(self) -> bool:
        """Return whether there is what keeps the records."""
        (records,) = self._records
        return records.look().standing is not Standing.ABSENT

    @cached_property
    def _draft(self) -> Draft:
        return Draft(self._clients, self._wish, self.site, self._bundle_for)

    @cached_property
    def _who(self) -> str:
        """The ARN of whoever asks; it names the partition and the account too."""
        with answering("sts"):
            return str(self._clients.client("sts").get_caller_identity()["Arn"])

    def _site(self, partition: str, account: str) -> Site:
        region = self.region
        return site_of(self._wish, partition=partition, account=account, region=region)

    @property
    def _records(self) -> list[Part]:
        site = self.site
        if site.table is not None:
            return [TablePart(self._clients, site, site.table)]
        assert site.domain is not None, "records are in a table, or in a domain"
        return [DomainPart(self._clients, site.domain)]

    @property
    def _sealing_key(self) -> list[Part]:
        name = self.site.parameter
        return [] if name is None else [SealingKeyPart(self._clients, self.site, name)]

    def _baking(self, base: Image) -> Baking:
        kind = base.architecture
        facts = {
            name: each
            for name, each in self._draft.type_facts.items()
            if architecture_of(arm=each.arm) is kind
        }
        group = next(
            group for group in self.blueprint.groups if group.name == self.site.node
        )
        group_id = GroupPart(self._clients, self.site, group).id()
        assert group_id is not None, "the installation is whole"
        return Baking(
            base=base,
            bundle=self.bundle(kind).sha256,
            machine_type=min(facts, key=lambda name: facts[name].vcpus),
            group_id=group_id,
            subnet=next(iter(self._wish.subnets), None),
            user_data=self._draft.user_data(Purpose.IMAGE, kind),
            disk_gib=LEAST_GIB,
        )
