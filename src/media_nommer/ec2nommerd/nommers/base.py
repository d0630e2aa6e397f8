"""What a nommer is: the class that knows how to do one kind of task."""

from abc import ABC, abstractmethod
from collections.abc import Mapping

from typing_extensions import override

from media_nommer.core.jobs import Phase
from media_nommer.core.tasks import Result, TaskKind
from media_nommer.core.workflow.following import gathered
from media_nommer.ec2nommerd.nommers.sums import with_checksums
from media_nommer.ec2nommerd.nommers.work import Work


class Nommer(ABC):
    """Does one kind of task. An instance may work on several tasks at once, in threads."""

    @abstractmethod
    def nom(self, work: Work) -> Result:
        """Do the task, and return what it made.

        It may be called again for the same task after a death at any point, and must not
        touch anything but its scratch folder and its attempt's part of the work area.

        Raises:
            NommerError: it could not be done; ``retryable`` says whether to try again.
        """


class AssembleNommer(Nommer):
    """Gathers what the other tasks of a run made; publication follows."""

    @override
    def nom(self, work: Work) -> Result:
        """Return the results of all siblings as one."""
        work.enter(Phase.ASSEMBLING)
        task = work.task
        made = gathered(work.engine.store.tasks_of(task.job_id, task.run))
        return with_checksums(work, made)


#: Which nommer does which kind of task.
Nommers = Mapping[TaskKind, Nommer]
