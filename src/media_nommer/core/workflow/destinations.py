"""Where the outputs of a job go, and how they are kept there: what its recipe says."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from media_nommer.core.jobs import Job
from media_nommer.core.ports.storage import PLAIN, Traits


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where a job's outputs go, and whether something that stands there may go for them."""

    url: str
    replace: bool

    @classmethod
    def of(cls, job: Job) -> "Destination":
        """Return what the job's recipe says."""
        url = str(job.recipe["destination"])
        return cls(url=url.rstrip("/"), replace=job.recipe.get("if_exists") == "replace")

    def url_of(self, key: str) -> str:
        """Return where the file with this name goes."""
        return f"{self.url}/{quote(key)}"


def traits_of(job: Job, index: int) -> Traits:
    """Return how the recipe wants the objects of an output to be kept and served."""
    outputs = job.recipe.get("outputs")
    if not isinstance(outputs, Sequence) or index >= len(outputs):
        return PLAIN
    return Traits(**(outputs[index].get("object") or {}))
