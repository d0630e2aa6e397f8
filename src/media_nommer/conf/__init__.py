"""The settings: what there is to set, where it is read from, and how logs are written."""

from media_nommer.conf.reading import load_settings, settings_with_sources
from media_nommer.conf.settings import Settings

__all__ = ["Settings", "load_settings", "settings_with_sources"]
