"""Objects on Amazon S3, or on a server that speaks as it does."""

from media_nommer.adapters.aws.s3.storage import S3Storage

__all__ = ["S3Storage"]
