"""Sources on the web, read over ``http://`` and ``https://``."""

from media_nommer.adapters.http.patience import Patience
from media_nommer.adapters.http.storage import HttpStorage

__all__ = ["HttpStorage", "Patience"]
