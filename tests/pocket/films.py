"""An installation on pocket EC2, as its operator has it: `nommer aws up`, and feederd here.

All installations of a session share one work area, so that the bundle goes there once; each
has records, queues and an output bucket of its own.
"""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from typing_extensions import override

from media_nommer.adapters.aws.setup import BundlePlace, Purpose, user_data
from media_nommer.adapters.aws.setup.site import FEEDERD_TAG, NODE_TAG
from media_nommer.adapters.aws.setup.user_data import INSTALLED
from media_nommer.client import NoService
from tests.acceptance.ground import Amazon, Buckets
from tests.acceptance.site import Site, wait_until
from tests.pocket.init import HELD
from tests.pocket.instances import Instance
from tests.pocket.pocket import Pocket

INSTALLATION = "films"
WORK_BUCKET, WORK_KEY = "films-area", "work"
TYPES = ("c7i.xlarge", "c6a.xlarge")
MOST = 3

#: Where machines have what they installed.
PLACE = "/opt/media-nommer"

#: What a node waits for is short here, as machines boot in a second.
SETTINGS = {
    "fleet": "ec2",
    "installation": INSTALLATION,
    "instance_types": ",".join(TYPES),
    # Spot prices are the pocket's own; it has no price list.
    "instance_prices": ",".join(f"{each}/on-demand=0.2" for each in TYPES),
    "work": f"s3://{WORK_BUCKET}/{WORK_KEY}",
    "max_nodes": str(MOST),
    "jobs_per_node": "1",
    "lease": "6s",
    "put_again_after": "8s",
    "idle_timeout": "15s",  # a test looks at a node while it is there
    "drain_timeout": "5s",
    "market": "spot",
}


class Films(Site):
    """One installation: its nodes are instances of ``cloud``."""

    def __init__(
        self,
        folder: Path,
        cloud: Pocket,
        name: str,
        kind: str,
        bundles: Path,
        **settings: str,
    ) -> None:
        self.cloud = cloud
        #: Whether feederd is started by twistd.
        self.twistd = False
        self.s3 = cloud.client("s3")
        amazon = Amazon(cloud.environment, self.s3, cloud.client("sqs"))
        records = {"NOMMER_STORE": f"{kind}://{name}"}
        super().__init__(folder, Buckets(amazon, name, records), **{**SETTINGS, **settings})
        self._environment.pop("NOMMER_FFMPEG", None)  # machines have their own
        self.data.mkdir(exist_ok=True)
        (self.data / "bundles").symlink_to(bundles)

    @override
    def _start(self, program: str, *words: str, **more: str) -> subprocess.Popen[bytes]:
        if self.twistd and program == "feederd":
            return super()._start("twistd", "-n", "--pidfile=", program, *words, **more)
        return super()._start(program, *words, **more)

    def up(self, *words: str) -> None:
        """Have `nommer aws up` make what machines need."""
        started = self._start("nommer", "aws", "up", "--yes", *words)
        assert started.wait(600) == 0, self.said()

    def instances(self) -> Sequence[Instance]:
        """Return all instances of nodes that there ever were."""
        return [i for i in self.cloud.instances if NODE_TAG in i.tags]

    def feederds(self) -> Sequence[Instance]:
        """Return the instances that feederd runs on, the newest last."""
        return [i for i in self.cloud.alive if FEEDERD_TAG in i.tags]

    def answers(self) -> bool:
        """Return whether feederd answers at the port that the client asks."""
        with suppress(NoService), self.client as client:
            return bool(client.health())
        return False

    def at_work(self) -> list[Instance]:  # type: ignore[override]
        """Return the instances on which FFmpeg runs."""
        return [i for i in self.cloud.alive if _encodes(self.cloud.processes(i))]

    def goes_to_sleep(self, timeout: float = 300) -> None:
        """Wait until every node's machine has ended itself."""
        wait_until(
            "every machine has ended",
            lambda: all(i.state == "terminated" for i in self.instances()),
            timeout=timeout,
            every=0.3,
        )

    def node_log(self, instance: Instance) -> str:
        """Return what the node on an instance has logged, from the work area."""
        key = f"{WORK_KEY}/nodes/{instance.tags['nommer-node']}/ec2nommerd.log"
        answer = self.s3.get_object(Bucket=WORK_BUCKET, Key=key)
        return bytes(answer["Body"].read()).decode()

    def said(self) -> str:
        """Return the ends of logs and consoles, for a person who must find out."""
        consoles = [
            f"--- {i.id} {i.zone} {i.market} {i.history} {i.why} {i.trouble}\n"
            f"{self.cloud.said(i)[-4000:]}"
            for i in self.cloud.instances
        ]
        return "\n".join([super().said(), *consoles])


@contextmanager
def films(
    folder: Path, cloud: Pocket, name: str, kind: str, bundles: Path, **settings: str
) -> Iterator[Films]:
    """Give an installation, and leave no process of feederd behind."""
    made = Films(folder, cloud, name, kind, bundles, **settings)
    try:
        yield made
    finally:
        made.close()


def bake(made: Films, to: Path) -> None:
    """Install the bundle for real on a machine, as for an image; keep what that made."""
    cloud = made.cloud
    listed = made.s3.list_objects_v2(Bucket=WORK_BUCKET, Prefix=f"{WORK_KEY}/bundle/")
    (digest,) = {
        seen["Key"].split("/")[-2]
        for seen in listed["Contents"]
        if seen["Key"].endswith("/bundle.json")
    }
    place = BundlePlace(
        bucket=WORK_BUCKET,
        prefix=f"{WORK_KEY}/",
        sha256=digest,
        region=cloud.environment["AWS_REGION"],
    )
    endpoints = {k: v for k, v in cloud.environment.items() if "ENDPOINT_URL" in k}
    cloud.orders.held = True
    cloud.client("ec2").run_instances(
        LaunchTemplate={"LaunchTemplateName": f"{INSTALLATION}-node"},
        InstanceType=TYPES[0],
        UserData=user_data(Purpose.IMAGE, place, environment=endpoints),
        MinCount=1,
        MaxCount=1,
    )
    cloud.orders.held = False
    instance = cloud.instances[-1]
    wait_until(
        "it is installed",
        lambda: HELD in cloud.said(instance) or instance.state == "terminated",
        timeout=400,
        every=0.3,
    )
    assert INSTALLED in cloud.said(instance), made.said()
    machine = cloud.running(instance).machine
    assert machine is not None, "it has booted"
    machine.copy(PLACE, to)
    cloud.running(instance).kill()


def most_at_once(instances: Sequence[Instance]) -> int:
    """Return how many instances there were at the same time, at most."""
    now = datetime.now(UTC)
    changes = sorted(
        change
        for instance in instances
        for change in ((instance.made_at, 1), (instance.ended_at or now, -1))
    )
    count = most = 0
    for _, change in changes:
        count += change
        most = max(most, count)
    return most


def _encodes(processes: Sequence[int]) -> bool:
    programs = []
    for pid in processes:
        with suppress(OSError):  # it has ended
            programs.append(Path(f"/proc/{pid}/exe").readlink().name)
    return any("ffmpeg" in program for program in programs)
