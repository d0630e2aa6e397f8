"""The nommers that inspect and encode, and the table of all that ship."""

from dataclasses import replace

from typing_extensions import override

from media_nommer.core.errors import EncodeError, Failure, OutputExists
from media_nommer.core.jobs import OutputState, Phase
from media_nommer.core.tasks import Result, TaskKind
from media_nommer.core.workflow.publishing import look_for_strangers
from media_nommer.ec2nommerd.nommers.base import AssembleNommer, Nommer, Nommers
from media_nommer.ec2nommerd.nommers.fetching import Kit, fetch_sources
from media_nommer.ec2nommerd.nommers.making import (
    make_outputs,
    plan_job,
)
from media_nommer.ec2nommerd.nommers.sums import with_checksums
from media_nommer.ec2nommerd.nommers.work import Work
from media_nommer.planning.extras.media_documents import kept_document
from media_nommer.planning.plan import OutputPlan
from media_nommer.planning.tasks import plan_tasks


class InspectNommer(Nommer):
    """Looks at the source and plans the job; a small one it makes itself, at once."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    @override
    def nom(self, work: Work) -> Result:
        """Return the plan of a large job, or all the outputs of a small one.

        Raises:
            OutputExists: there is no output left whose place is free.
        """
        work.enter(Phase.INSPECTING)
        source = fetch_sources(self._kit, work)
        pending = [
            index
            for index, output in enumerate(work.job.outputs)
            if output.state is OutputState.PENDING
        ]
        wanted = plan_job(self._kit, work, source, pending)
        taken = _places_taken(work, wanted)
        free = [plan for plan in wanted if plan.index not in taken]
        failures = {index: Failure.of(error) for index, error in taken.items()}
        if not free:
            raise next(iter(taken.values()))
        found = kept_document(source.film.media, source.found)
        tasks = plan_tasks(source.film.media, free, self._kit.cutting)
        if len(tasks) > 1:
            return Result(plan=tasks, failures=failures, found=found)
        work.enter(Phase.ENCODING)
        made = make_outputs(self._kit, work, source, free)
        whole = replace(made, failures={**failures, **made.failures}, found=found)
        return with_checksums(work, whole)


class EncodeNommer(Nommer):
    """Makes the outputs that its task names, from one decode."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    @override
    def nom(self, work: Work) -> Result:
        """Return the outputs of the task, or why none of them can be made.

        A refusal is a result too: what the task's siblings make stands all the same.
        """
        work.enter(Phase.ENCODING)
        source = fetch_sources(self._kit, work)
        plans = plan_job(self._kit, work, source, work.task.outputs)
        try:
            return make_outputs(self._kit, work, source, plans)
        except EncodeError as error:
            if work.worth_another_try(error):
                raise
            failure = Failure.of(error)
            return Result(failures={plan.index: failure for plan in plans})


def shipped_nommers(kit: Kit) -> Nommers:
    """Return the nommer for each kind of task."""
    encode = EncodeNommer(kit)
    return {
        TaskKind.INSPECT: InspectNommer(kit),
        TaskKind.ENCODE: encode,
        TaskKind.AUDIO: encode,
        TaskKind.THUMBNAILS: encode,
        TaskKind.ASSEMBLE: AssembleNommer(),
    }


def _places_taken(work: Work, plans: list[OutputPlan]) -> dict[int, OutputExists]:
    """Return the outputs whose places are taken, found before anything is encoded."""
    taken: dict[int, OutputExists] = {}
    for plan in plans:
        output = work.job.outputs[plan.index]
        try:
            look_for_strangers(work.engine.storage, work.job, output, plan.names)
        except OutputExists as error:
            taken[plan.index] = error
    return taken
