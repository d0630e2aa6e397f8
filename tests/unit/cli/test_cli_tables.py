from media_nommer.cli.tables import plain_table


def test_columns_line_up_and_numbers_end_together() -> None:
    table = plain_table(("file", ">size"), [("a.mp4", "12 MB"), ("longer.mp4", "1 kB")])

    assert table.splitlines() == [
        "FILE         SIZE",
        "a.mp4       12 MB",
        "longer.mp4   1 kB",
    ]


def test_a_long_cell_is_never_cut() -> None:
    assert "x" * 300 in plain_table(("file",), [("x" * 300,)])
