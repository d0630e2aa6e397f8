"""What SimpleDB allows, as numbers that a test can make smaller."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The documented limits of SimpleDB.

    ``examined`` stands for the five seconds that a Select may work: they are counted in
    items read, not timed, so that a page ends at the same item on every machine.
    """

    name_bytes: int = 1024
    value_bytes: int = 1024
    item_attributes: int = 256
    submitted_attributes: int = 256
    submitted_items: int = 25
    request_bytes: int = 1024 * 1024
    domains: int = 250
    domain_bytes: int = 10 * 1024**3
    domain_attributes: int = 1_000_000_000
    select_page: int = 2500
    select_default_page: int = 100
    select_bytes: int = 1024 * 1024
    select_attributes: int = 20
    select_comparisons: int = 20
    select_requested: int = 256
    examined: int = 100_000
