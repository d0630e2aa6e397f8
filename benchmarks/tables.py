"""Tables on a terminal, and the few ways in which figures are written in them."""

from collections.abc import Sequence

from benchmarks.figures import Sample, Spread, cpus, ratios, walls

PAIR_COLUMNS = (
    "",
    "wall s",
    "least-most",
    "CPU s",
    "least-most",
    "wall ratio",
    "CPU ratio",
)


def show(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table; the first column is what the rows are, the others are figures."""
    widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]
    print(f"\n{title}")
    for row in (columns, ["-" * width for width in widths], *rows):
        cells = [row[0].ljust(widths[0])]
        cells += [
            cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)
        ]
        print("  " + "  ".join(cells).rstrip())


def note(text: str) -> None:
    """Print a line below a table."""
    print(f"  {text}", flush=True)


def pair_row(
    name: str, samples: Sequence[Sample], bare: Sequence[Sample] | None = None
) -> list[str]:
    """Return a row of wall and CPU seconds, with ratios to ``bare`` where it is given."""
    row = [name]
    for values in (walls(samples), cpus(samples)):
        spread = Spread.of(values)
        row += [f"{spread.median:.2f}", _range(spread, 2)]
    if bare is None:
        return [*row, "", ""]
    for ours, others in ((walls(samples), walls(bare)), (cpus(samples), cpus(bare))):
        row.append(f"{Spread.of(ratios(ours, others)).median:.3f}")
    return row


def spread_cells(values: Sequence[float], digits: int) -> list[str]:
    """Return a median, and the least and the most, as two cells."""
    spread = Spread.of(values)
    return [f"{spread.median:.{digits}f}", _range(spread, digits)]


def pairs_text(name: str, ours: Sequence[Sample], bare: Sequence[Sample]) -> str:
    """Return a line with the ratios of every pair."""
    wall = " ".join(f"{ratio:.3f}" for ratio in ratios(walls(ours), walls(bare)))
    cpu = " ".join(f"{ratio:.3f}" for ratio in ratios(cpus(ours), cpus(bare)))
    return f"pairs, {name}: wall {wall} | CPU {cpu}"


def _range(spread: Spread, digits: int) -> str:
    return f"{spread.least:.{digits}f}-{spread.most:.{digits}f}"
