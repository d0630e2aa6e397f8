import pytest

from media_nommer.cli.display import Bars, Lines, Pace, Standing, combined_fraction


class Ticks:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def standing(fraction: float, phase: str = "encoding") -> Standing:
    return Standing(label="film.mov", phase=phase, fraction=fraction, speed=2.0)


def test_the_rest_takes_as_long_as_the_part_before() -> None:
    ticks = Ticks()
    pace = Pace(ticks)
    pace.left(0.0)
    ticks.now += 30

    assert pace.left(0.25) == pytest.approx(90)


def test_nothing_is_foretold_from_the_first_moments() -> None:
    ticks = Ticks()
    pace = Pace(ticks)
    pace.left(0.0)
    ticks.now += 0.5

    assert pace.left(0.5) is None


def test_lines_come_at_each_phase_and_tenth(capsys: pytest.CaptureFixture[str]) -> None:
    ticks = Ticks()
    lines = Lines(ticks)

    lines.show("1", standing(0.0, "inspecting"))
    for percent in (1, 4, 10, 14, 20):
        ticks.now += 2
        lines.show("1", standing(percent / 100))
    lines.ended("1", "film.mov", "finished")

    assert capsys.readouterr().err.splitlines() == [
        "film.mov: inspecting 2.0x",
        "film.mov: encoding 1%, 2.0x, 3:18 left",
        "film.mov: encoding 10%, 2.0x, 0:54 left",
        "film.mov: encoding 20%, 2.0x, 0:40 left",
        "film.mov: finished in 10.0 s",
    ]


def test_a_job_took_what_its_record_says_however_late_it_was_first_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = Lines(Ticks())

    lines.show("1", standing(0.98))
    lines.ended("1", "film.mov", "finished", 2.5)

    assert capsys.readouterr().err.splitlines()[-1] == "film.mov: finished in 2.5 s"


def test_nothing_of_the_bars_is_left_when_they_close(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Bars(1) as bars:
        bars.show("1", standing(0.5))
        bars.ended("1", "film.mov", "finished")

    assert "%" not in capsys.readouterr().out


def test_looking_at_the_source_counts_only_until_there_is_a_plan() -> None:
    alone = {"inspect": (1.0, 0.4)}
    planned = {"inspect": (1.0, 1.0), "encode-0": (0.8, 0.5), "audio-0": (0.2, 0.0)}

    assert combined_fraction(alone) == pytest.approx(0.4)
    assert combined_fraction(planned) == pytest.approx(0.4)
