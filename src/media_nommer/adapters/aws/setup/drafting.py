"""The blueprint of an installation, drawn from what is wanted and from what AWS offers."""

import math
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cached_property

from media_nommer.adapters.aws.clients import AwsClients
from media_nommer.adapters.aws.ec2.types import InstanceTypes, TypeFacts
from media_nommer.adapters.aws.setup.blueprint import (
    Blueprint,
    Template,
    feederd_group,
    feederd_role,
    node_group,
    node_role,
    ways_out,
)
from media_nommer.adapters.aws.setup.bundle import Bundle
from media_nommer.adapters.aws.setup.images import DEBIAN, find_images
from media_nommer.adapters.aws.setup.networks import network_of
from media_nommer.adapters.aws.setup.site import Architecture, Site
from media_nommer.adapters.aws.setup.user_data import BundlePlace, Purpose, user_data
from media_nommer.adapters.aws.setup.wishes import Wish, places_of

#: The smallest disk of a machine.
LEAST_GIB = 8
_GIB = 2**30


class Draft:
    """Draws the blueprint; what it takes of AWS's answers is asked for once."""

    def __init__(
        self,
        clients: AwsClients,
        wish: Wish,
        site: Site,
        bundle_for: Callable[[Architecture], Bundle],
    ) -> None:
        self._clients = clients
        self._wish = wish
        self._site = site
        self._bundle_for = bundle_for
        self._types = InstanceTypes(clients)
        self._bundles: dict[Architecture, Bundle] = {}

    @cached_property
    def blueprint(self) -> Blueprint:
        """All that the installation is made of, as it is wanted."""
        site, wish = self._site, self._wish.feederd
        vpc = network_of(self._clients, self._wish.subnets)
        ways = ways_out(self._wish.endpoints)
        roles, groups = [node_role(site)], [node_group(site, vpc, ways)]
        if wish is not None:
            roles.append(feederd_role(site))
            groups.append(feederd_group(site, vpc, ways, wish.cidr))
        return Blueprint(
            site=site,
            roles=tuple(roles),
            groups=tuple(groups),
            templates=(*self._templates_of_nodes(), *self._template_of_feederd()),
            log_days=self.log_days,
            spot=self._wish.spot,
        )

    @property
    def log_days(self) -> int:
        """The days for which logs of nodes stay."""
        return math.ceil(self._wish.keep_logs_for / timedelta(days=1))

    @property
    def type_facts(self) -> Mapping[str, TypeFacts]:
        """What is known of the wanted instance types."""
        return self._types.facts(self._wish.instance_types)

    @cached_property
    def architectures(self) -> tuple[Architecture, ...]:
        """Those that the wanted machines of nodes have."""
        arms = {facts.arm for facts in self.type_facts.values()}
        return tuple(architecture_of(arm=arm) for arm in sorted(arms))

    @property
    def bundles(self) -> tuple[Bundle, ...]:
        """What all machines install, a bundle for each architecture."""
        wanted = {*self.architectures, self._feederds_architecture} - {None}
        known = sorted(each for each in wanted if each is not None)
        return tuple(self.bundle(each) for each in known)

    def bundle(self, architecture: Architecture) -> Bundle:
        """Return what machines of an architecture install."""
        if architecture not in self._bundles:
            self._bundles[architecture] = self._bundle_for(architecture)
        return self._bundles[architecture]

    def user_data(self, purpose: Purpose, architecture: Architecture) -> str:
        """Return what a machine is told at its first boot."""
        bundles = self._site.bundles
        place = BundlePlace(
            bucket=bundles.bucket,
            prefix=bundles.key.removesuffix("bundle/"),
            sha256=self.bundle(architecture).sha256,
            region=self._site.region,
        )
        return user_data(
            purpose,
            place,
            settings=self._wish.tell(purpose, places_of(self._site)),
            environment=self._wish.environment,
        )

    @cached_property
    def _feederds_architecture(self) -> Architecture | None:
        if self._wish.feederd is None:
            return None
        name = self._wish.feederd.machine_type
        return architecture_of(arm=self._types.facts([name])[name].arm)

    def _templates_of_nodes(self) -> list[Template]:
        images = find_images(self._clients, self._wish.image, self.architectures)
        return [
            Template(
                name=self._site.template(each),
                image=images[each],
                group=self._site.node,
                role=self._site.node,
                user_data=self.user_data(Purpose.WORKER, each),
                volume_gib=max(LEAST_GIB, math.ceil(self._wish.volume_size / _GIB)),
                tags={**self._site.machine_tags, "Name": self._site.node},
            )
            for each in self.architectures
        ]

    def _template_of_feederd(self) -> list[Template]:
        wish, architecture = self._wish.feederd, self._feederds_architecture
        if wish is None or architecture is None:
            return []
        images = find_images(self._clients, DEBIAN, [architecture])
        return [
            Template(
                name=self._site.feederd,
                image=images[architecture],
                group=self._site.feederd,
                role=self._site.feederd,
                user_data=self.user_data(Purpose.FEEDERD, architecture),
                volume_gib=LEAST_GIB,
                tags={**self._site.machine_tags, "Name": self._site.feederd},
                machine_type=wish.machine_type,
                lasting=True,
            )
        ]


def architecture_of(*, arm: bool) -> Architecture:
    """Return the architecture of machines that are ARM's, or are not."""
    return Architecture.ARM if arm else Architecture.X86
