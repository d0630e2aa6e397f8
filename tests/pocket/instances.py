"""Instances as EC2 keeps them: their states, and how they are described."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

ACCOUNT = "123456789012"
_CODES = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48}
#: Once there, an instance is on its way out, and paid for no more.
OVER = frozenset({"shutting-down", "terminated"})


@dataclass(kw_only=True)
class Instance:
    """One instance, from its launch on; it is kept when it has ended.

    ``reason`` and ``why`` are EC2's StateTransitionReason and StateReason. Whoever changes
    it holds the pocket's lock.
    """

    id: str
    type: str
    zone: str
    subnet: str
    market: str
    price: float
    #: When it was made, and that in full seconds, as EC2 tells it and bills by it.
    made_at: datetime
    launched_at: datetime
    template: Mapping[str, Any]
    tags: dict[str, str]
    token: str
    number: int
    state: str = "pending"
    reason: str = ""
    why: str = ""
    #: When it was last paid for.
    ended_at: datetime | None = None
    #: When it was off, or was known to be.
    off_at: datetime | None = None
    #: Set where its machine could not be had.
    trouble: str = ""
    history: list[str] = field(default_factory=lambda: ["pending"])

    @property
    def address(self) -> str:
        return f"10.0.{self.number // 200}.{self.number % 200 + 10}"

    @property
    def hostname(self) -> str:
        return f"ip-{self.address.replace('.', '-')}"

    @property
    def profile(self) -> str:
        """The name of its instance profile, empty for none."""
        said = self.template.get("IamInstanceProfile") or {}
        return str(said.get("Name") or said.get("Arn", "").rpartition("/")[2])

    @property
    def shows_tags(self) -> bool:
        """Whether it can look up its own tags."""
        said = self.template.get("MetadataOptions") or {}
        return bool(said.get("InstanceMetadataTags") == "enabled")

    @property
    def billed_seconds(self) -> float:
        """How long it has been paid for, as far as it is known."""
        until = self.ended_at or datetime.now(UTC)
        return (until - self.launched_at).total_seconds()

    def enter(self, state: str, *, reason: str = "", why: str = "") -> None:
        """Change its state."""
        now = datetime.now(UTC)
        self.state = state
        self.history.append(state)
        self.reason = self.reason or reason
        self.why = self.why or why
        if state in OVER:
            self.ended_at = self.ended_at or now
        if state == "terminated":
            self.off_at = now

    def stated(self) -> dict[str, Any]:
        """Return its state in EC2's words."""
        return {"Code": _CODES[self.state], "Name": self.state}

    def described(self) -> dict[str, Any]:
        """Return it as DescribeInstances tells of it."""
        found: dict[str, Any] = {
            "InstanceId": self.id,
            "ImageId": self.template.get("ImageId", ""),
            "State": self.stated(),
            "StateTransitionReason": self.reason,
            "InstanceType": self.type,
            "LaunchTime": self.launched_at,
            "Placement": {"AvailabilityZone": self.zone, "Tenancy": "default"},
            "ClientToken": self.token,
            "Architecture": "x86_64",
            "Tags": [{"Key": key, "Value": value} for key, value in self.tags.items()],
        }
        if self.market == "spot":
            found["InstanceLifecycle"] = "spot"
        if self.state != "terminated":
            found |= {
                "PrivateIpAddress": self.address,
                "PrivateDnsName": f"{self.hostname}.ec2.internal",
                "SubnetId": self.subnet,
            }
        if self.why:
            code, _, _ = self.why.partition(":")
            found["StateReason"] = {"Code": code, "Message": self.why}
        return found


def user_initiated() -> str:
    """Return the reason that EC2 gives for what was asked of it, which tells the time."""
    return f"User initiated ({datetime.now(UTC):%Y-%m-%d %H:%M:%S} GMT)"
