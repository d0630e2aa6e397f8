"""What a site stands on: where its sources, outputs and records are; how to look at them.

``Files`` is a folder, as on one machine. ``Buckets`` is S3, with a store and a queue beside
it that other machines could reach, too.
"""

import hashlib
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typing_extensions import override

#: What tells whether an object was written anew: it is another after every write.
Identity = tuple[object, ...]


class Ground(ABC):
    """The places of one site."""

    @property
    @abstractmethod
    def environment(self) -> Mapping[str, str]:
        """The variables by which daemons find these places."""

    @property
    @abstractmethod
    def destination(self) -> str:
        """The URL of the folder that outputs go to."""

    @abstractmethod
    def url_of(self, film: Path) -> str:
        """Return the URL of a source, which is brought where it can be read."""

    @abstractmethod
    def published(self) -> Mapping[str, Identity]:
        """Return what can be seen at the destination, half-made things included."""

    @abstractmethod
    def read(self, name: str) -> bytes:
        """Return what stands at the destination under a name."""

    @abstractmethod
    def plant(self, name: str, content: bytes) -> None:
        """Put something at the destination that no job has made."""

    def takes_writes(self) -> bool:
        """Whether the store can be written to; a stopped process may stand in the way."""
        return True

    @abstractmethod
    def left_behind(self) -> list[str]:
        """Return what should not be there once all jobs have ended, but for messages."""


class Files(Ground):
    """Folders below ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._out = folder / "out"
        self._work = folder / "data" / "work"
        self._store = folder / "data" / "nommer.db"

    @property
    @override
    def environment(self) -> Mapping[str, str]:
        return {}

    @property
    @override
    def destination(self) -> str:
        return self._out.as_uri()

    @override
    def url_of(self, film: Path) -> str:
        return film.as_uri()

    @override
    def published(self) -> Mapping[str, Identity]:
        found: dict[str, Identity] = {}
        for path in sorted(self._out.rglob("*")):
            with suppress(FileNotFoundError):  # a temporary file, gone by now
                if path.is_file():
                    status = path.stat()
                    name = path.relative_to(self._out).as_posix()
                    found[name] = (status.st_ino, status.st_mtime_ns)
        return found

    @override
    def read(self, name: str) -> bytes:
        return (self._out / name).read_bytes()

    @override
    def plant(self, name: str, content: bytes) -> None:
        self._out.mkdir(exist_ok=True)
        (self._out / name).write_bytes(content)

    @override
    def takes_writes(self) -> bool:
        with closing(sqlite3.connect(self._store, timeout=0.2)) as db:
            try:
                db.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return False
        return True

    @override
    def left_behind(self) -> list[str]:
        files = [str(path) for path in self._work.rglob("*") if path.is_file()]
        return [path for path in files if "/logs/" not in path]


@dataclass(frozen=True)
class Amazon:
    """The services that all tests of a session share; they outlive every daemon."""

    environment: Mapping[str, str]
    s3: Any
    sqs: Any


class Buckets(Ground):
    """Three buckets, and the records where ``records`` says; ``name`` is this site's own.

    The destination keeps every version, so that nothing can be written twice unseen.
    """

    FILMS = "films"

    def __init__(self, amazon: Amazon, name: str, records: Mapping[str, str]) -> None:
        self._s3, self._sqs = amazon.s3, amazon.sqs
        self._name = name
        self._amazon = amazon.environment
        self._records = records
        self.out, self.work = f"{name}-out", f"{name}-work"
        for bucket in (self.FILMS, self.out, self.work):
            self._s3.create_bucket(Bucket=bucket)
        self._s3.put_bucket_versioning(
            Bucket=self.out, VersioningConfiguration={"Status": "Enabled"}
        )

    @property
    @override
    def environment(self) -> Mapping[str, str]:
        work = {"NOMMER_WORK": f"s3://{self.work}/area"}
        return {**self._amazon, **work, **self._records}

    @property
    @override
    def destination(self) -> str:
        return f"s3://{self.out}/to"

    @override
    def url_of(self, film: Path) -> str:
        content = film.read_bytes()
        key = f"{hashlib.sha256(content).hexdigest()[:12]}{film.suffix}"
        self._s3.put_object(Bucket=self.FILMS, Key=key, Body=content)
        return f"s3://{self.FILMS}/{key}"

    @override
    def published(self) -> Mapping[str, Identity]:
        """Return the ids of all versions by name: one for each time it was written."""
        pages = self._s3.get_paginator("list_object_versions").paginate(Bucket=self.out)
        found: dict[str, Identity] = {}
        for page in pages:
            for seen in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
                name = seen["Key"].removeprefix("to/")
                found[name] = (*found.get(name, ()), seen["VersionId"])
        return dict(sorted(found.items()))

    @override
    def read(self, name: str) -> bytes:
        answer = self._s3.get_object(Bucket=self.out, Key=f"to/{name}")
        return bytes(answer["Body"].read())

    @override
    def plant(self, name: str, content: bytes) -> None:
        self._s3.put_object(Bucket=self.out, Key=f"to/{name}", Body=content)

    def put_by(self, name: str) -> str:
        """Return the id of the put that made the newest version of an object."""
        seen = self._s3.head_object(Bucket=self.out, Key=f"to/{name}")
        return str(seen["Metadata"]["nommer-put"])

    @override
    def left_behind(self) -> list[str]:
        return [*self._work_left(), *self._uploads(), *self._unreadable()]

    def _work_left(self) -> list[str]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.work)
        keys = [seen["Key"] for page in pages for seen in page.get("Contents", ())]
        return [key for key in keys if "/logs/" not in key]

    def _uploads(self) -> list[str]:
        return [
            f"upload of {seen['Key']}"
            for bucket in (self.out, self.work)
            for seen in self._s3.list_multipart_uploads(Bucket=bucket).get("Uploads", ())
        ]

    def _unreadable(self) -> list[str]:
        urls = self._sqs.list_queues(QueueNamePrefix=f"{self._name}-unreadable")
        counts = {
            url: self._sqs.get_queue_attributes(
                QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"]
            )["Attributes"]["ApproximateNumberOfMessages"]
            for url in urls.get("QueueUrls", ())
        }
        return [f"{count} on {url}" for url, count in counts.items() if count != "0"]


__all__ = ["Amazon", "Buckets", "Files", "Ground", "Identity"]
