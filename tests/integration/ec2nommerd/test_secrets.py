"""Rule 12: what a worker says when its store is away tells no password."""

import traceback
from pathlib import Path

import pytest

from media_nommer import wiring
from media_nommer.conf import load_settings
from media_nommer.core.errors import Failure, NommerError

PASSWORD = "corr3ct-horse"


def test_rule_12_a_store_that_cannot_be_reached_tells_no_password(tmp_path: Path) -> None:
    """Rule 12: neither its sentence nor the traceback that goes into the log."""
    pytest.importorskip("psycopg")
    url = f"postgresql://nommer:{PASSWORD}@127.0.0.1:1/films"
    settings = load_settings(
        environ={
            "NOMMER_CONFIG": "",
            "NOMMER_STORE": url,
            "NOMMER_DATA_DIR": str(tmp_path),
        }
    )

    with pytest.raises(NommerError) as refused, wiring.open_engine(settings):
        pass

    told = "".join(traceback.format_exception(refused.value))
    assert PASSWORD not in told
    assert PASSWORD not in repr(Failure.of(refused.value))
