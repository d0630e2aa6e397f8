"""A small client of feederd's API, for other people's programs and for `nommer` itself."""

from media_nommer.client.client import FINAL_STATES, NommerClient, NoService
from media_nommer.client.documents import (
    AttemptDocument,
    FailureDocument,
    FileDocument,
    HealthDocument,
    JobDocument,
    JobPage,
    LogsDocument,
    NodeDocument,
    OutputDocument,
)

__all__ = [
    "FINAL_STATES",
    "AttemptDocument",
    "FailureDocument",
    "FileDocument",
    "HealthDocument",
    "JobDocument",
    "JobPage",
    "LogsDocument",
    "NoService",
    "NodeDocument",
    "NommerClient",
    "OutputDocument",
]
