import pytest
from benchmarks.figures import Sample, Spread, cpus, ratios, walls


def test_a_spread_is_the_median_with_the_least_and_the_most() -> None:
    assert Spread.of([3.0, 1.0, 2.0]) == Spread(median=2.0, least=1.0, most=3.0)


def test_the_median_of_an_even_count_lies_between_the_middle_two() -> None:
    assert Spread.of([4.0, 1.0, 2.0, 3.0]).median == 2.5


def test_a_machine_that_slows_down_does_not_change_the_ratios_of_pairs() -> None:
    ours, bare = [1.1, 2.2, 4.4], [1.0, 2.0, 4.0]

    assert ratios(ours, bare) == pytest.approx([1.1, 1.1, 1.1])


def test_a_run_without_its_pair_is_not_passed_over() -> None:
    with pytest.raises(ValueError, match="zip"):
        ratios([1.0, 2.0], [1.0])


def test_wall_and_cpu_are_taken_apart() -> None:
    samples = [Sample(wall=1.0, cpu=2.0), Sample(wall=3.0, cpu=4.0)]

    assert (walls(samples), cpus(samples)) == ([1.0, 3.0], [2.0, 4.0])
