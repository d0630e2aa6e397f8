"""What a machine is told at its first boot: a cloud-init document, made from values alone.

Nothing in it is secret: whoever may look at the machine, and every process on it, can read
it.
"""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files

from media_nommer.core.errors import SetupFailed

#: What EC2 takes, before it is encoded.
MOST_BYTES = 16 * 1024

#: Where everything lies on a machine.
CONFIG = "/etc/media-nommer/nommer.toml"
ENVIRONMENT = "/etc/media-nommer/environment"
PROGRAMS = "/opt/media-nommer/bin"
STATE = "/var/lib/media-nommer"

#: How the console says that it went well, and that it did not.
INSTALLED = "media-nommer: ready for an image"
FAILED = "media-nommer: failed:"

_SCRIPT = "/etc/media-nommer/first_boot.py"
_STARTER = "/etc/media-nommer/first_boot.sh"
_UNITS = "/etc/systemd/system"


class Purpose(StrEnum):
    """What a machine is for."""

    WORKER = "ec2nommerd"
    FEEDERD = "feederd"
    #: It installs the bundle, is made an image of, and goes.
    IMAGE = "image"


@dataclass(frozen=True, slots=True, kw_only=True)
class BundlePlace:
    """Where a bundle of wheels lies on S3, and by which digest it is known.

    ``prefix`` is empty, or ends with a slash.
    """

    bucket: str
    prefix: str
    sha256: str
    region: str


def user_data(
    purpose: Purpose,
    bundle: BundlePlace,
    *,
    settings: str = "",
    environment: Mapping[str, str] | None = None,
) -> str:
    """Return the document that sets a machine up, and starts a daemon on it.

    ``settings`` is the text of its ``nommer.toml``. Whatever fails, a machine that cannot
    work shuts down; a worker's also does when its daemon has ended.

    Raises:
        SetupFailed: it is longer than EC2 takes.
    """
    said = {"NOMMER_CONFIG": CONFIG, "AWS_REGION": bundle.region, **(environment or {})}
    written = {
        ENVIRONMENT: "".join(f"{name}={value}\n" for name, value in sorted(said.items())),
        _SCRIPT: files(__package__).joinpath("first_boot.py").read_text("utf-8"),
        _STARTER: _starter(purpose, bundle, at_amazon="AWS_ENDPOINT_URL" not in said),
    }
    if purpose is not Purpose.IMAGE:
        written[CONFIG] = settings
        written[f"{_UNITS}/{purpose}.service"] = _unit(purpose)
    text = _document(written)
    size = len(text.encode())
    if size > MOST_BYTES:
        raise SetupFailed(
            f"what a machine is told at its first boot takes {size:,} bytes, and EC2 takes "
            f"{MOST_BYTES:,}",
            advice="Say less in nommer.toml: the longest settings are in `nommer config`.",
        )
    return text


def _document(written: Mapping[str, str]) -> str:
    lines = ["#cloud-config", "write_files:"]
    for path, text in written.items():
        lines += [f"  - path: {path}", '    permissions: "0644"', "    content: |"]
        lines += [f"      {line}" if line else "" for line in text.splitlines()]
    lines += ["runcmd:", f"  - [sh, {_STARTER}]"]
    return "\n".join(lines) + "\n"


def _starter(purpose: Purpose, bundle: BundlePlace, *, at_amazon: bool) -> str:
    """Return the script that is run once."""
    what = shlex.join((bundle.bucket, bundle.prefix, bundle.sha256, bundle.region))
    then, instead = _ends(purpose)
    agent = _agent(bundle.region) if purpose is Purpose.FEEDERD and at_amazon else ""
    return f"""\
#!/bin/sh
# Installs media-nommer and starts it. A machine on which that fails is not kept.
python=$(command -v python3.11 || command -v python3)
{agent}if "$python" {_SCRIPT} {what} && {then}
then exit 0
fi
{instead}
"""


def _agent(region: str) -> str:
    """Return how Amazon's agent comes onto a machine, whose ports nobody reaches but by it.

    Debian's images have none. Without it feederd works just as well.
    """
    domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    place = f"https://s3.{region}.{domain}/amazon-ssm-{region}/latest/debian_"
    fetch = "import sys, urllib.request as r; r.urlretrieve(*sys.argv[1:])"
    return f"""\
agent={place}$(dpkg --print-architecture)/amazon-ssm-agent.deb
"$python" -c '{fetch}' "$agent" /var/tmp/agent.deb && dpkg -i /var/tmp/agent.deb ||
    echo "media-nommer: there is no SSM agent: $agent cannot be installed"
"""


def _ends(purpose: Purpose) -> tuple[str, str]:
    """Return what follows an install that went well, and one that did not."""
    if purpose is Purpose.IMAGE:
        return (
            f"truncate -s 0 /etc/machine-id && echo '{INSTALLED}' && shutdown -h now",
            f"echo '{FAILED} see above'",
        )
    unit, wanted = f"{purpose}.service", f"{_UNITS}/multi-user.target.wants"
    start = [
        f"mkdir -p {wanted}",
        f"ln -sf {_UNITS}/{unit} {wanted}/{unit}",
        "systemctl daemon-reload",
        f"systemctl start {unit}",
    ]
    return " && ".join(start), f"echo '{FAILED} this machine shuts down'\nshutdown -h now"


def _unit(purpose: Purpose) -> str:
    """Return the unit of a daemon, which runs as a user that has nothing else.

    A worker's machine goes with it. A reboot starts it again, and should its node have been
    given up meanwhile, it ends at once. What runs out of memory is an encoder, not us.
    """
    worker = purpose is Purpose.WORKER
    ending = "Restart=no\nExecStopPost=+shutdown -h now" if worker else "Restart=always"
    return f"""\
[Unit]
Description=media-nommer: {purpose}
Wants=network-online.target
After=network-online.target

[Service]
Type=exec
EnvironmentFile={ENVIRONMENT}
ExecStart={PROGRAMS}/{purpose}
{ending}
DynamicUser=yes
StateDirectory=media-nommer
WorkingDirectory={STATE}
KillMode=mixed
TimeoutStopSec=180
OOMPolicy=continue
LimitNOFILE=65536

[Install]
WantedBy=multi-user.target
"""
