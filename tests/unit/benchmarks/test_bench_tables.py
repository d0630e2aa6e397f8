import pytest
from benchmarks import tables
from benchmarks.figures import Sample

BARE = [
    Sample(wall=10.0, cpu=20.0),
    Sample(wall=12.0, cpu=22.0),
    Sample(wall=8.0, cpu=18.0),
]
OURS = [
    Sample(wall=11.0, cpu=20.2),
    Sample(wall=12.6, cpu=22.0),
    Sample(wall=9.6, cpu=18.9),
]


def test_a_row_tells_medians_ranges_and_the_median_ratio_of_pairs() -> None:
    row = tables.pair_row("ours", OURS, BARE)

    assert row[1:] == ["11.00", "9.60-12.60", "20.20", "18.90-22.00", "1.100", "1.010"]


def test_the_bare_row_has_no_ratios() -> None:
    assert tables.pair_row("bare", BARE)[-2:] == ["", ""]


def test_columns_are_as_wide_as_their_widest_cell(
    capsys: pytest.CaptureFixture[str],
) -> None:
    tables.show("title", ("", "n"), [("a", "1000"), ("long", "2")])

    assert capsys.readouterr().out.splitlines()[1:] == [
        "title",
        "           n",
        "  ----  ----",
        "  a     1000",
        "  long     2",
    ]
