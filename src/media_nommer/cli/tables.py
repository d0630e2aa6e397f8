"""Tables: drawn for terminals, aligned plain text for everything else."""

import shutil
import sys
from collections.abc import Sequence

import typer

#: Columns whose head starts so are aligned to the right.
_RIGHT = ">"


def show_table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], *, title: str = ""
) -> None:
    """Print a table on standard output; a column ``>size`` is aligned to the right."""
    if sys.stdout.isatty():
        _draw(columns, rows, title)
    else:
        typer.echo(plain_table(columns, rows))


def plain_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in plain text, two blanks between its columns, no line cut."""
    heads = [column.removeprefix(_RIGHT).upper() for column in columns]
    right = [column.startswith(_RIGHT) for column in columns]
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    lines = (
        "  ".join(
            cell.rjust(width) if flush else cell.ljust(width)
            for cell, width, flush in zip(row, widths, right, strict=True)
        ).rstrip()
        for row in (heads, *rows)
    )
    return "\n".join(lines)


def _draw(columns: Sequence[str], rows: Sequence[Sequence[str]], title: str) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(
        box=box.SIMPLE_HEAD,
        title=title or None,
        title_justify="left",
        title_style="bold",
        pad_edge=False,
    )
    for column in columns:
        head = column.removeprefix(_RIGHT)
        flush = column.startswith(_RIGHT)
        table.add_column(
            head,
            justify="right" if flush else "left",
            no_wrap=flush,
            overflow="fold",
        )
    for row in rows:
        table.add_row(*map(Text, row))
    width = shutil.get_terminal_size().columns
    Console(width=width, highlight=False).print(table)
