"""Nommers of other packages in a worker: parts, faults, and workers that lack them."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import pytest
from jsonschema import Draft202012Validator
from studio import FANNED_OUT, Studio
from test_real_films import FILM, film
from typing_extensions import override

from media_nommer.cli.doctor import nommer_findings
from media_nommer.core.errors import InvalidRecipe
from media_nommer.core.jobs import JobState, Output, OutputState
from media_nommer.core.recipes import own_nommers
from media_nommer.core.recipes.schema import recipe_schema
from media_nommer.nommers import EncodeError, Making, Media, OutputNommer, OwnOutput

assert film  # a fixture of that module, which this one has too


class Tally(OwnOutput):
    kind: Literal["tally"] = "tally"
    mood: Literal["good", "clumsy", "lazy", "chatty", "honest"] = "good"


class TallyNommer(OutputNommer[Tally]):
    """Writes down how many frames it was given; its moods are the faults of others."""

    document = Tally
    name = "{stem}-tally.txt"

    @override
    def plan(self, output: Tally, media: Media, name: str) -> Sequence[str]:
        if media.picture is None:
            raise InvalidRecipe("a tally needs a picture")
        return (name,)

    @override
    def make(self, output: Tally, making: Making) -> Mapping[str, object]:
        if output.mood == "clumsy":
            raise ZeroDivisionError("by nought")
        if output.mood == "honest":
            raise EncodeError("this film cannot be counted")
        if output.mood == "lazy":
            return {}
        frames = making.spare(".crc")
        making.ffmpeg(*making.source, "-map", "0:v:0", "-f", "framecrc", frames)
        lines = (making.folder / frames).read_text().splitlines()
        count = sum(not line.startswith("#") for line in lines)
        (making.folder / making.names[0]).write_text(f"{count}\n")
        nonsense = {"film": making.media} if output.mood == "chatty" else {}
        return {"format": "text", "frames": count, **nonsense}


class OlderTally(OwnOutput):
    kind: Literal["tally"] = "tally"


class OlderNommer(TallyNommer):
    """That of a version before moods."""

    document = OlderTally


class Entry:
    """An entry point of a package that is not there."""

    def __init__(self, loaded: object) -> None:
        self.name, self.value = "tally", "tally:TallyNommer"
        self._loaded = loaded

    def load(self) -> Any:
        if isinstance(self._loaded, Exception):
            raise self._loaded
        return self._loaded


def forget() -> None:
    """Have the registered packages looked for anew."""
    own_nommers.own_kinds.cache_clear()
    own_nommers.own_nommer.cache_clear()


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Entry]]:
    """What packages register; ``forget`` after a change."""
    entries = [Entry(TallyNommer)]
    monkeypatch.setattr(own_nommers, "entry_points", lambda *, group: entries)
    forget()
    yield entries
    monkeypatch.undo()
    forget()


def outputs_of(studio: Studio, job_id: str) -> tuple[Output, ...]:
    return studio.service.get(job_id).outputs


@pytest.fixture
def studio(tmp_path: Path, film: Path) -> Studio:
    return Studio(tmp_path, film)


def test_an_own_output_is_made_of_the_part_that_is_taken_beside_a_film(
    studio: Studio, film: Path, registered: list[Entry]
) -> None:
    part = {"url": film.as_uri(), "start": 0.2, "end": 0.6}
    job = studio.submit({"kind": "tally"}, FILM, inputs=[part])

    studio.work()

    tally, made = outputs_of(studio, job.id)
    assert (tally.state, made.state) == (OutputState.FINISHED, OutputState.FINISHED)
    assert tally.facts == {"format": "text", "frames": 10, "files": 1}
    assert (studio.out / "film-tally.txt").read_text() == "10\n"


def test_where_more_nodes_help_an_own_output_has_a_task_of_its_own(
    studio: Studio, registered: list[Entry]
) -> None:
    job = studio.submit({"kind": "tally"}, FILM)

    studio.work(cutting=FANNED_OUT)

    tasks = {task.key: task.outputs for task in studio.engine.store.tasks_of(job.id, 1)}
    assert tasks["encode-0"] == (1,)
    assert tasks["encode-1"] == (0,)
    assert studio.service.get(job.id).state is JobState.FINISHED


@pytest.mark.parametrize(
    ("mood", "code", "words"),
    [
        ("clumsy", "NOMMER_FAILED", "ZeroDivisionError"),
        ("chatty", "NOMMER_FAILED", "facts that are not JSON"),
        ("lazy", "OUTPUT_DAMAGED", "left no own-0-0.txt"),
        ("honest", "ENCODE", "this film cannot be counted"),
    ],
)
def test_what_goes_wrong_in_a_nommer_is_told_and_costs_no_other_output(
    mood: str, code: str, words: str, studio: Studio, registered: list[Entry]
) -> None:
    job = studio.submit({"kind": "tally", "mood": mood}, FILM)

    studio.work()

    tally, made = outputs_of(studio, job.id)
    assert made.state is OutputState.FINISHED
    assert tally.failure is not None
    assert tally.failure.code == code
    assert words in tally.failure.message


@pytest.mark.parametrize(
    ("there", "code"),
    [
        ([], "NOMMER_MISSING"),
        ([Entry(ImportError("no module"))], "NOMMER_BROKEN"),
        ([Entry(dict)], "NOMMER_BROKEN"),
        ([Entry(OlderNommer)], "NOMMER_BROKEN"),
    ],
)
def test_a_worker_without_the_nommer_says_so_once(
    there: list[Entry],
    code: str,
    studio: Studio,
    registered: list[Entry],
) -> None:
    job = studio.submit({"kind": "tally"}, {"kind": "tally", "name": "b.txt"}, FILM)
    registered[:] = there
    forget()

    studio.work()

    *tallies, made = outputs_of(studio, job.id)
    assert made.state is OutputState.FINISHED
    for tally in tallies:
        assert tally.failure is not None
        assert (tally.failure.code, tally.failure.retryable) == (code, False)
        assert tally.failure.advice
    (task,) = studio.engine.store.tasks_of(job.id, 1)
    assert len(task.attempts) == 1


def test_a_nommer_that_cannot_be_loaded_is_told_of_where_a_recipe_is_taken_on(
    studio: Studio, registered: list[Entry]
) -> None:
    registered[:] = [Entry(ImportError("no module named abacus"))]
    forget()

    with pytest.raises(InvalidRecipe, match="abacus"):
        studio.submit({"kind": "tally"})


@pytest.mark.usefixtures("registered")
def test_what_it_would_make_of_several_inputs_is_refused(studio: Studio) -> None:
    with pytest.raises(InvalidRecipe, match="'tally' are made of one input alone"):
        studio.submit({"kind": "tally"}, inputs=[{"url": "a"}, {"url": "b"}])


def test_the_doctor_says_which_nommers_cannot_be_loaded(registered: list[Entry]) -> None:
    broken = Entry(ImportError("no module named abacus"))
    broken.name = "abacus"
    registered.append(broken)
    forget()

    abacus, tally = nommer_findings()

    assert (tally.ok, tally.detail) == (True, "tally, tally:TallyNommer")
    assert not abacus.ok
    assert "no module named abacus" in abacus.detail
    assert abacus.advice


def test_its_schema_has_the_own_kind(registered: list[Entry]) -> None:
    schema = recipe_schema(["web"], submitted=True)

    def allowed(output: dict[str, object]) -> bool:
        document = {"inputs": [{"url": "a"}], "destination": "b", "outputs": [output]}
        found = Draft202012Validator(schema).is_valid(document)
        return bool(found)

    assert allowed({"kind": "tally", "mood": "lazy", "expect": {"max_size": 3}})
    assert not allowed({"kind": "tally", "mood": "sad"})
    assert not allowed({"kind": "score"})
    assert allowed({"kind": "sprite"})
