"""Films encrypted on machines of EC2, under keys that were sealed with one of SSM's."""

import base64
import json
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from media_nommer.adapters.ffmpeg.binary import find_ffmpeg
from tests.acceptance.site import ended_well
from tests.pocket.films import Films, films
from tests.pocket.pocket import Pocket

pytestmark = [
    pytest.mark.skipif(
        not os.environ.get("NOMMER_SOAK"), reason="it takes long: NOMMER_SOAK has it"
    ),
    pytest.mark.timeout(1800),
]

BUCKET, PARAMETER = "films-sealed", "/nommer/sealed/sealing-key"
NAME = f"sealed-{os.getpid()}"
KEY, KEY_ID, URL = "8c5d3f01a7b94e6690cd12ef34ab5678", "a0" * 16, "https://keys.example/1"
SMALL: dict[str, Any] = {
    "kind": "adaptive",
    "audio": None,
    "video": {"codec": "h264", "speed": "ultrafast", "height": 36},
}
WHOLE = {"scheme": "aes-128", "key": KEY, "key_url": URL}
FRAMES = {"scheme": "cenc", "key": KEY, "key_id": KEY_ID, "key_url": URL}


@pytest.fixture
def sealed(
    cloud: Pocket, bundles: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Films]:
    """An installation with a sealing key, whose machines install what encryption takes."""
    for variable, value in cloud.environment.items():
        monkeypatch.setenv(variable, value)
    said = {
        "installation": "sealed",
        "sealing_key": f"ssm://{PARAMETER}",
        "work": f"s3://{BUCKET}/work",
    }
    with films(tmp_path / "site", cloud, NAME, "dynamodb", bundles, **said) as place:
        place.up()
        yield place
        print(place.said())  # noqa: T201 - it is shown where the test failed


def test_a_node_encrypts_with_keys_that_nobody_can_read(
    sealed: Films, clip: Path, tmp_path: Path
) -> None:
    """The sealing key is even another one when the node comes."""
    ssm = sealed.cloud.client("ssm")
    idle = sealed.feederd_alone({"NOMMER_SCALING": "off"})
    sealed.wait_for_answers(idle)
    job = sealed.submit(
        clip,
        {**SMALL, "name": "whole/index.m3u8", "encryption": WHOLE},
        {**SMALL, "name": "frames/index.{ext}", "encryption": FRAMES},
    )
    before = list(_told(sealed))
    idle.terminate()
    assert ended_well(idle)
    ssm.put_parameter(Name=PARAMETER, Value=secrets.token_hex(32), Overwrite=True)
    sealed.feederd()

    sealed.wait_for(job, timeout=900)
    sealed.goes_to_sleep(timeout=300)

    out = _fetched(sealed, tmp_path / "out")
    assert _like(_decrypted_whole(out / "whole", tmp_path), clip)
    assert _like(_decrypted_frames(out / "frames", tmp_path), clip)
    versions = ssm.get_parameter_history(Name=PARAMETER, WithDecryption=True)["Parameters"]
    keys = [KEY, *(each["Value"] for each in versions)]
    told = [*before, *_told(sealed), *_read(out)]
    assert len(versions) == 2
    assert any(place.startswith("queue") for place, _ in before)
    assert len({place for place, _ in told}) > 10
    for place, text in told:
        for key in keys:
            assert key.encode() not in text.lower(), place
            assert bytes.fromhex(key) not in text, place
            assert base64.b64encode(bytes.fromhex(key)) not in text, place


def _told(place: Films) -> Iterator[tuple[str, bytes]]:
    """Give all that anybody may look at: what it is, and what stands there."""
    cloud = place.cloud
    ec2, sqs, s3 = cloud.client("ec2"), cloud.client("sqs"), place.s3
    versions = ec2.describe_launch_template_versions(LaunchTemplateName="sealed-node")
    for version in versions["LaunchTemplateVersions"]:
        data = version["LaunchTemplateData"]["UserData"]
        yield "user data", base64.b64decode(data)
    for url in sqs.list_queues(QueueNamePrefix=NAME).get("QueueUrls", ()):
        found = sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=10,
            VisibilityTimeout=0,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        for message in found.get("Messages", ()):
            yield f"queue {url}", json.dumps(message).encode()
    items = cloud.client("dynamodb").scan(TableName=NAME)["Items"]
    yield "records", repr(items).encode()
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
    for key in [each["Key"] for page in pages for each in page.get("Contents", ())]:
        if "/bundle/wheels/" in key:
            continue
        with suppress(s3.exceptions.NoSuchKey):  # feederd tidies meanwhile
            yield key, s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    for log in place.logs.glob("*"):
        yield log.name, log.read_bytes()
    for instance in place.instances():
        yield f"console of {instance.id}", cloud.said(instance).encode()


def _read(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in folder.rglob("*"):
        if path.is_file():
            yield path.name, path.read_bytes()


def _fetched(place: Films, folder: Path) -> Path:
    """Bring what was published here."""
    for name in place.published():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(place.ground.read(name))
    return folder


def _decrypted_whole(folder: Path, there: Path) -> list[str]:
    """Return how FFmpeg reads a copy of a playlist whose key is at hand."""
    copy = Path(shutil.copytree(folder, there / "readable"))
    (copy / "its.key").write_bytes(bytes.fromhex(KEY))
    (playlist,) = (path for path in copy.glob("v*.m3u8"))
    said = playlist.read_text()
    assert f'#EXT-X-KEY:METHOD=AES-128,URI="{URL}"' in said
    playlist.write_text(said.replace(URL, "its.key"))
    words = ["-allowed_extensions", "ALL", "-extension_picky", "0"]
    return [*words, "-i", str(playlist)]


def _decrypted_frames(folder: Path, there: Path) -> list[str]:
    """Return how FFmpeg reads a rendition with its key."""
    media = sorted(path for path in folder.rglob("*.mp4") if path.name.startswith("v"))
    parts = sorted(path for path in folder.rglob("*.m4s") if path.name.startswith("v"))
    path = there / "frames.mp4"
    path.write_bytes(b"".join(each.read_bytes() for each in [*media, *parts]))
    return ["-decryption_key", KEY, "-i", str(path)]


def _like(reading: list[str], source: Path) -> bool:
    """Say whether the first frames of two films look the same."""
    ours, theirs = _pixels(reading), _pixels(["-i", str(source)])
    assert len(ours) == len(theirs) > 0
    difference = sum(abs(a - b) for a, b in zip(ours, theirs, strict=True)) / len(ours)
    return difference < 12  # of 255


def _pixels(reading: list[str]) -> bytes:
    frame = ["-frames:v", "1", "-vf", "scale=32:18", "-pix_fmt", "gray", "-f", "rawvideo"]
    words = [str(find_ffmpeg()), "-v", "error", "-nostdin", *reading, *frame, "-"]
    return subprocess.run(words, check=True, capture_output=True).stdout
