"""Launch templates: how EC2 makes our machines."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from typing_extensions import override

from media_nommer.adapters.aws.clients import AwsClients, answering, code_of
from media_nommer.adapters.aws.setup.blueprint import Template
from media_nommer.adapters.aws.setup.parts.part import FINE, NOTHING, Look, Part, judged
from media_nommer.adapters.aws.setup.site import OURS, Site, tag_list
from media_nommer.core.errors import InvalidSetting, SetupFailed

if TYPE_CHECKING:
    from types_boto3_ec2 import EC2Client

_ABSENT = "InvalidLaunchTemplateName.NotFoundException"


class TemplatePart(Part):
    """A launch template whose default version is the one that is described.

    A version tells by its description which one it is. Older ones stay, for whoever
    launches by them at this moment.
    """

    kind = "launch template"

    def __init__(
        self,
        clients: AwsClients,
        site: Site,
        template: Template,
        group_id: Callable[[], str | None],
    ) -> None:
        self._site = site
        self._template = template
        self._group_id = group_id
        self._ec2: EC2Client = clients.client("ec2")

    @property
    @override
    def name(self) -> str:
        return self._template.name

    @override
    def look(self) -> Look:
        if self._find() is None:
            return NOTHING
        with answering("ec2"):
            (version,) = self._ec2.describe_launch_template_versions(
                LaunchTemplateName=self._template.name, Versions=["$Default"]
            )["LaunchTemplateVersions"]
        differences = []
        if version.get("VersionDescription") != self._template.mark:
            differences.append("what machines are told, their image, or their disk")
        groups = version["LaunchTemplateData"].get("SecurityGroupIds")
        if groups != [self._group_id()]:
            differences.append("the security group")
        return judged(differences)

    @override
    def make(self) -> None:
        group = self._group_id()
        if group is None:
            raise SetupFailed(f"there is no security group {self._template.group}")
        name = self._template.name
        said: Any = {
            "LaunchTemplateName": name,
            "VersionDescription": self._template.mark,
            "LaunchTemplateData": self._template.data(group),
        }
        tags = tag_list(self._site.tags)
        with answering("ec2"):
            if self._find() is None:
                self._ec2.create_launch_template(
                    **said,
                    TagSpecifications=[{"ResourceType": "launch-template", "Tags": tags}],
                )
                return
            made = self._ec2.create_launch_template_version(**said)
            number = made["LaunchTemplateVersion"]["VersionNumber"]
            self._ec2.modify_launch_template(
                LaunchTemplateName=name, DefaultVersion=str(number)
            )

    @override
    def remove(self) -> None:
        OldTemplatePart(self._ec2, self._site, self._template.name).remove()

    def _find(self) -> Any | None:
        return find_template(self._ec2, self._site, self._template.name)


class OldTemplatePart(Part):
    """A launch template that is only to be removed, whatever it says."""

    kind = "launch template"

    def __init__(self, ec2: "EC2Client", site: Site, name: str) -> None:
        self._ec2 = ec2
        self._site = site
        self._name = name

    @property
    @override
    def name(self) -> str:
        return self._name

    @override
    def look(self) -> Look:
        found = find_template(self._ec2, self._site, self._name)
        return FINE if found is not None else NOTHING

    @override
    def make(self) -> None:
        """Do nothing: nobody said what it should be."""

    @override
    def remove(self) -> None:
        if find_template(self._ec2, self._site, self._name) is not None:
            with answering("ec2"):
                self._ec2.delete_launch_template(LaunchTemplateName=self._name)


def find_template(ec2: "EC2Client", site: Site, name: str) -> Any | None:
    """Return a launch template of ours, None where there is none.

    Raises:
        InvalidSetting: somebody else's goes by its name.
    """
    with answering("ec2"):
        try:
            answer = ec2.describe_launch_templates(LaunchTemplateNames=[name])
        except ClientError as error:
            if code_of(error) != _ABSENT:
                raise
            return None
    for found in answer["LaunchTemplates"]:
        if {"Key": OURS, "Value": site.installation} in found.get("Tags", ()):
            return found
        raise InvalidSetting(
            f"there is a launch template {name} that `nommer aws up` has not made",
            advice="Choose another `installation`, or remove that template.",
        )
    return None
