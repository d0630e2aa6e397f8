"""Lists of checksums: made last, of what all other outputs of a job came to."""

import hashlib
from dataclasses import replace
from urllib.parse import unquote

from media_nommer.core.errors import Failure, OthersFailed
from media_nommer.core.jobs import Job, OutputState
from media_nommer.core.recipes import parse_recipe
from media_nommer.core.tasks import Result, ResultFile
from media_nommer.core.workflow.destinations import Destination
from media_nommer.ec2nommerd.nommers.work import Work
from media_nommer.planning.extras.checksums import checksums_of, sums_text


def with_checksums(work: Work, result: Result) -> Result:
    """Return ``result``, which all other outputs are in, with the lists that are wanted.

    A list of only some outputs would lie: where one failed, each list fails too, and a
    retry makes both.
    """
    job = work.job
    if not any(_is_wanted(output) for output in _outputs_of(job)):
        return result
    names = checksums_of(parse_recipe(job.recipe, stored=True), work.source_stem)
    wanted = {
        index: name
        for index, name in names.items()
        if job.outputs[index].state is OutputState.PENDING and index not in result.failures
    }
    missing = _missing(job, result, set(names))
    if missing:
        error = OthersFailed(
            f"there are no sums of outputs that were not made: {', '.join(missing)}"
        )
        failed = dict.fromkeys(wanted, Failure.of(error))
        return replace(result, failures={**result.failures, **failed})
    sums = _sums(job, result, set(names))
    for index, name in wanted.items():
        result = replace(
            result,
            files=(*result.files, _written(work, index, name, sums_text(sums, name))),
            facts={**result.facts, index: {"format": "sha256", "sums": len(sums)}},
        )
    return result


def _outputs_of(job: Job) -> list[object]:
    outputs = job.recipe.get("outputs")
    return list(outputs) if isinstance(outputs, list | tuple) else []


def _is_wanted(output: object) -> bool:
    return isinstance(output, dict) and output.get("kind") == "checksums"


def _missing(job: Job, result: Result, lists: set[int]) -> list[str]:
    """Return what the outputs are called that neither this run nor one before has made."""
    made = {file.output for file in result.files} | lists
    return [
        output.name
        for index, output in enumerate(job.outputs)
        if index not in made and output.state is not OutputState.FINISHED
    ]


def _sums(job: Job, result: Result, lists: set[int]) -> dict[str, str]:
    """Return the sum of every file, by its name below the destination."""
    sums = {file.key: file.sha256 for file in result.files}
    start = Destination.of(job).url + "/"
    for index, output in enumerate(job.outputs):
        if output.state is OutputState.FINISHED and index not in lists:
            for file in output.files:
                sums[unquote(file.url.removeprefix(start))] = file.sha256
    return sums


def _written(work: Work, index: int, name: str, text: str) -> ResultFile:
    path = work.scratch / f"out-{index}.sha256"
    data = text.encode("utf-8", "surrogateescape")
    path.write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    return ResultFile(
        output=index,
        key=name,
        work_url=work.keep(path, path.name, sha256=digest),
        size=len(data),
        sha256=digest,
    )
