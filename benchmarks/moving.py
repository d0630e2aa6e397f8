"""Moves one file to S3 or from there: ``python -m benchmarks.moving KIND WAY PATH URL``.

What it imports is what it needs, since its memory and its CPU time are measured.
"""

# ruff: noqa: PLC0415
import sys
from pathlib import Path


def main() -> None:
    """Do what the arguments say: a kind of client, up or down, a path, a URL."""
    kind, way, path, url = sys.argv[1:]
    if kind == "boto3":
        _with_boto3(way, path, url)
    else:
        # A worker has reckoned the digest of what it made before it puts it.
        _with_storage(way, Path(path), url, "0" * 64 if kind == "storage-told" else None)


def _with_boto3(way: str, path: str, url: str) -> None:
    import boto3

    bucket, _, key = url.removeprefix("s3://").partition("/")
    client = boto3.client("s3")
    if way == "up":
        client.upload_file(path, bucket, key)
    else:
        client.download_file(bucket, key, path)


def _with_storage(way: str, path: Path, url: str, sha256: str | None) -> None:
    from media_nommer.adapters.aws.clients import AwsClients
    from media_nommer.adapters.aws.s3 import S3Storage

    storage = S3Storage(AwsClients())
    if way == "up":
        storage.put(path, url, sha256=sha256)
    else:
        storage.fetch(url, path)


if __name__ == "__main__":
    main()
