"""An installation on AWS: looked for, made, and taken down, as some settings want it."""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from media_nommer.adapters.aws.clients import AwsClients, answering
from media_nommer.adapters.aws.ec2.types import InstanceTypes, TypeFacts
from media_nommer.adapters.aws.s3.names import Place, folder_of
from media_nommer.adapters.aws.setup.baking import Baking, bake
from media_nommer.adapters.aws.setup.blueprint import (
    Blueprint,
    Group,
    Image,
    Role,
    Template,
    feederd_group,
    feederd_role,
    node_group,
    node_role,
    ways_out,
)
from media_nommer.adapters.aws.setup.bundle import Bundle
from media_nommer.adapters.aws.setup.checking import (
    check_launch,
    check_parts,
    check_quotas,
    check_rights,
    check_sealing_key,
)
from media_nommer.adapters.aws.setup.cloudformation import cloudformation
from media_nommer.adapters.aws.setup.images import DEBIAN, find_images
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
from media_nommer.adapters.aws.setup.setup_policies import setup_policy
from media_nommer.adapters.aws.setup.site import Architecture, Site, bucket_name
from media_nommer.adapters.aws.setup.user_data import BundlePlace, Purpose, user_data
from media_nommer.core.errors import InvalidSetting, NommerError, SetupFailed
from media_nommer.core.findings import Finding

if TYPE_CHECKING:
    from types_boto3_ec2 import EC2Client

_GIB = 2**30
_LEAST_GIB = 8


@dataclass(frozen=True, slots=True)
class FeederdWish:
    """That feederd is wanted on a machine, on which, and who may reach it directly."""

    machine_type: str
    cidr: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What an installation should be, in the words of the settings.

    Places that are None have the names that follow from that of the installation.
    ``parameter`` is where SSM is to have the sealing key, if it is.
    ``environment`` and ``endpoints`` are what machines are told of other servers than
    Amazon's. ``tell`` writes the ``nommer.toml`` of a daemon, for the places as they are.
    """

    installation: str
    store: str | None
    queue: str | None
    work: str | None
    parameter: str | None = None
    sources: Sequence[str] = ()
    destinations: Sequence[str] = ()
    roles: Sequence[str] = ()
    instance_types: Sequence[str]
    spot: bool = True
    image: str
    subnets: Sequence[str] = ()
    volume_size: int
    keep_logs_for: timedelta
    endpoints: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    tell: Callable[[Purpose, Mapping[str, str]], str]
    feederd: FeederdWish | None = None


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
        self._types = InstanceTypes(clients)
        self._bundles: dict[Architecture, Bundle] = {}

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
                BucketPart(self._clients, site, self._log_days),
            ],
            delete_data=delete_data,
        )

    @cached_property
    def site(self) -> Site:
        """Where the installation is, and what its parts are called."""
        return self._site(self._who.split(":")[1], self._who.split(":")[4])

    def _site(self, partition: str, account: str) -> Site:
        region, name = self.region, self._wish.installation
        work = folder_of(
            self._wish.work or f"s3://{bucket_name(name, account, region)}/work"
        )
        kind, _, place = (self._wish.store or f"dynamodb://{name}").partition("://")
        whole = (Place(work.bucket, ""),)
        return Site(
            installation=name,
            partition=partition,
            account=account,
            region=region,
            work=work,
            queue=(self._wish.queue or f"sqs://{place}").partition("://")[2],
            table=place if kind == "dynamodb" else None,
            domain=place if kind == "simpledb" else None,
            sources=tuple(map(folder_of, self._wish.sources)) or whole,
            destinations=tuple(map(folder_of, self._wish.destinations)) or whole,
            roles=tuple(self._wish.roles),
            parameter=self._wish.parameter,
        )

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
        site = self.site
        store = f"dynamodb://{site.table}" if site.table else f"simpledb://{site.domain}"
        return {
            "installation": site.installation,
            "aws_region": site.region,
            "store": store,
            "queue": f"sqs://{site.queue}",
            "work": site.work.url.rstrip("/"),
        }

    @property
    def type_facts(self) -> Mapping[str, TypeFacts]:
        """What is known of the wanted instance types."""
        return self._types.facts(self._wish.instance_types)

    @cached_property
    def architectures(self) -> tuple[Architecture, ...]:
        """Those that the wanted machines have."""
        arms = {facts.arm for facts in self.type_facts.values()}
        return tuple(_architecture(arm) for arm in sorted(arms))

    @cached_property
    def vpc(self) -> str:
        """The network that machines are in.

        Raises:
            InvalidSetting: there is none, or the subnets are in several.
        """
        ec2: EC2Client = self._clients.client("ec2")
        if not self._wish.subnets:
            default = [{"Name": "is-default", "Values": ["true"]}]
            with answering("ec2"):
                vpcs = ec2.describe_vpcs(Filters=default)["Vpcs"]  # type: ignore[arg-type]
            if not vpcs:
                raise InvalidSetting(
                    f"there is no default VPC in {self.region}",
                    advice="Name subnets in `subnets`, or make one: "
                    "`aws ec2 create-default-vpc`.",
                )
            return vpcs[0]["VpcId"]
        with answering("ec2", _meaning):
            found = ec2.describe_subnets(SubnetIds=list(self._wish.subnets))["Subnets"]
        networks = {subnet["VpcId"] for subnet in found}
        if len(networks) != 1:
            raise InvalidSetting(
                f"`subnets` are in {len(networks)} networks, and machines can be in one",
                advice="Name subnets of one VPC.",
            )
        return networks.pop()

    def bundle(self, architecture: Architecture) -> Bundle:
        """Return what machines of an architecture install."""
        if architecture not in self._bundles:
            self._bundles[architecture] = self._bundle_for(architecture)
        return self._bundles[architecture]

    @cached_property
    def blueprint(self) -> Blueprint:
        """All that the installation is made of, as it is wanted."""
        site = self.site
        ways = ways_out(self._wish.endpoints)
        wish = self._wish.feederd
        roles, groups = [node_role(site)], [node_group(site, self.vpc, ways)]
        if wish is not None:
            roles.append(feederd_role(site))
            groups.append(feederd_group(site, self.vpc, ways, wish.cidr))
        return Blueprint(
            site=site,
            roles=tuple(roles),
            groups=tuple(groups),
            templates=tuple(self._templates()),
            log_days=self._log_days,
            spot=self._wish.spot,
        )

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """All parts, in the order in which they are made."""
        clients, blueprint, site = self._clients, self.blueprint, self.site
        groups = {each.name: GroupPart(clients, site, each) for each in blueprint.groups}
        needed = [self.bundle(each) for each in self._architectures_of_templates]
        return (
            BucketPart(clients, site, blueprint.log_days),
            QueuesPart(clients, site),
            *self._records,
            *self._sealing_key,
            *([SpotRolePart(clients)] if blueprint.spot else []),
            *(RolePart(clients, site, role) for role in blueprint.roles),
            *groups.values(),
            *(BundlePart(clients, site, bundle) for bundle in needed),
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

    @property
    def _log_days(self) -> int:
        return math.ceil(self._wish.keep_logs_for / timedelta(days=1))

    @cached_property
    def _who(self) -> str:
        """The ARN of whoever asks; it names the partition and the account too."""
        with answering("sts"):
            return str(self._clients.client("sts").get_caller_identity()["Arn"])

    @cached_property
    def _feederds_architecture(self) -> Architecture | None:
        if self._wish.feederd is None:
            return None
        name = self._wish.feederd.machine_type
        return _architecture(self._types.facts([name])[name].arm)

    @property
    def _architectures_of_templates(self) -> list[Architecture]:
        wanted = {*self.architectures, self._feederds_architecture} - {None}
        return sorted(each for each in wanted if each is not None)

    def _templates(self) -> list[Template]:
        images = find_images(self._clients, self._wish.image, self.architectures)
        templates = [
            Template(
                name=self.site.template(each),
                image=images[each],
                group=self.site.node,
                role=self.site.node,
                user_data=self.user_data(Purpose.WORKER, each),
                volume_gib=self._volume_gib,
                tags={**self.site.machine_tags, "Name": self.site.node},
            )
            for each in self.architectures
        ]
        return templates + self._template_of_feederd()

    def _template_of_feederd(self) -> list[Template]:
        wish, architecture = self._wish.feederd, self._feederds_architecture
        if wish is None or architecture is None:
            return []
        images = find_images(self._clients, DEBIAN, [architecture])
        return [
            Template(
                name=self.site.feederd,
                image=images[architecture],
                group=self.site.feederd,
                role=self.site.feederd,
                user_data=self.user_data(Purpose.FEEDERD, architecture),
                volume_gib=_LEAST_GIB,
                tags={**self.site.machine_tags, "Name": self.site.feederd},
                machine_type=wish.machine_type,
                lasting=True,
            )
        ]

    @property
    def _volume_gib(self) -> int:
        return max(_LEAST_GIB, math.ceil(self._wish.volume_size / _GIB))

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
        if not plan.to_do:
            for each in self.architectures:
                yield check_launch(self._clients, self.site, self.site.template(each))
        yield from check_quotas(
            self._clients, self.type_facts, max_nodes, spot=self._wish.spot
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
        bases = find_images(self._clients, base, self.architectures)
        return {
            each: bake(
                self._clients, self.site, self._baking(bases[each]), tell, pause=pause
            )
            for each in self.architectures
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

    def _baking(self, base: Image) -> Baking:
        kind = base.architecture
        facts = {
            name: each
            for name, each in self.type_facts.items()
            if _architecture(each.arm) is kind
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
            user_data=self.user_data(Purpose.IMAGE, kind),
            disk_gib=_LEAST_GIB,
        )

    def user_data(self, purpose: Purpose, architecture: Architecture) -> str:
        """Return what a machine is told at its first boot."""
        bundles = self.site.bundles
        place = BundlePlace(
            bucket=bundles.bucket,
            prefix=bundles.key.removesuffix("bundle/"),
            sha256=self.bundle(architecture).sha256,
            region=self.site.region,
        )
        return user_data(
            purpose,
            place,
            settings=self._wish.tell(purpose, self.places),
            environment=self._wish.environment,
        )


def _architecture(arm: bool) -> Architecture:
    return Architecture.ARM if arm else Architecture.X86


def _meaning(code: str, said: str) -> NommerError | None:
    if code.startswith("InvalidSubnetID"):
        return InvalidSetting(
            f"subnets: {said}", advice="Correct `subnets`, `aws_region` or the account."
        )
    return None
