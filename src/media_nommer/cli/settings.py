"""The settings as a command sees them: its own options over everything else."""

import os
from pathlib import Path

from media_nommer.conf.reading import load_settings
from media_nommer.conf.settings import Settings

#: Variables that speak to the command line alone; they are no settings.
OUR_VARIABLES = frozenset({"NOMMER_URL", "NOMMER_DEBUG"})


def settings_for(config: Path | None = None, **options: object) -> Settings:
    """Return the settings in force; options that are None were not given.

    Raises:
        InvalidSetting: one of them cannot be used.
    """
    environ = {
        name: value for name, value in os.environ.items() if name not in OUR_VARIABLES
    }
    return load_settings(options, config=config, environ=environ)
