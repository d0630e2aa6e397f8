"""An installation on tape for each test."""

from pathlib import Path

import pytest
from tests.workshop import Workshop


@pytest.fixture
def shop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)
