"""What tests of installations say and ask."""

from collections.abc import Callable
from typing import Any

from media_nommer.adapters.aws.setup import Installation

Install = Callable[..., Installation]


def up(installation: Installation) -> list[str]:
    """Bring an installation up; return what was done."""
    plan = installation.plan_up()
    plan.carry_out()
    return [f"{step.deed} {step.part.kind}" for step in plan.to_do]


def default_version(ec2: Any, template: str) -> Any:
    """Return what a launch template says, by its default version."""
    (version,) = ec2.describe_launch_template_versions(
        LaunchTemplateName=template, Versions=["$Default"]
    )["LaunchTemplateVersions"]
    return version["LaunchTemplateData"]
