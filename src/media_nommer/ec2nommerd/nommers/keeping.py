"""Putting what is made into the work area, as far as it came to what was expected."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from media_nommer.core.errors import ExpectationMissed, Failure
from media_nommer.core.tasks import Result, ResultFile
from media_nommer.core.workflow.together import each_of
from media_nommer.ec2nommerd.nommers.work import Work
from media_nommer.planning.ffmpeg import Produced
from media_nommer.planning.gates import check_expected
from media_nommer.planning.plan import OutputPlan


def with_output(
    whole: Result,
    work: Work,
    plan: OutputPlan,
    made: Sequence[Produced],
    facts: dict[str, object],
) -> Result:
    """Return a result with one more output: its files in the work area, or its failure."""
    size = sum((work.scratch / one.path).stat().st_size for one in made)
    try:
        check_expected(plan.expect, size, facts)
    except ExpectationMissed as error:
        failures = {**whole.failures, plan.index: Failure.of(error)}
        told = {**whole.facts, plan.index: {**facts, "size": size}}
        return replace(whole, facts=told, failures=failures)
    kept = each_of(made, partial(_kept, work), at_once=work.engine.at_once)
    files = (*whole.files, *kept)
    return replace(whole, files=files, facts={**whole.facts, plan.index: facts})


def _kept(work: Work, made: Produced) -> ResultFile:
    path = work.scratch / made.path
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    size = path.stat().st_size
    url = work.keep(path, made.path, sha256=digest)
    return ResultFile(
        output=made.output,
        key=made.name,
        work_url=url,
        size=size,
        sha256=digest,
        own=made.own,
    )
