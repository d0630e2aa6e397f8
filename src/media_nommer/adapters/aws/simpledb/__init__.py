"""Job, task and node records on Amazon SimpleDB."""

from media_nommer.adapters.aws.simpledb.store import SimpleDbStore, create_domain

__all__ = ["SimpleDbStore", "create_domain"]
