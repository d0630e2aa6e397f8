"""Reading the settings: command line over environment over ``nommer.toml`` over defaults.

``pydantic-settings`` would do the layering, but its import alone takes 0.16 s, which is
half of what ``nommer --help`` may take; the layering is the few lines below.
"""

import difflib
import os
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from media_nommer.conf.settings import Settings
from media_nommer.conf.values import Allowed, redacted, written
from media_nommer.core.errors import InvalidSetting

PREFIX = "NOMMER_"
FILE_NAME = "nommer.toml"
COMMAND_LINE = "the command line"
#: Variables that are no settings: where the file is, and what speaks to the client alone.
NOT_SETTINGS = frozenset({"NOMMER_CONFIG", "NOMMER_URL", "NOMMER_DEBUG"})
#: Somebody may have written a secret itself where its place is asked for.
_NOT_SHOWN = {"sealing_key"}
_PATHS = {"data_dir", "scratch_dir", "file_roots"}


def load_settings(
    overrides: Mapping[str, object] | None = None,
    *,
    config: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """Return the settings in force.

    ``overrides`` come from the command line; those that are None were not given there.
    ``config`` names the file; without it ``NOMMER_CONFIG`` does (empty for no file), then
    ``./nommer.toml`` and the one in the user's configuration folder are looked for.

    Raises:
        InvalidSetting: a file cannot be read, a name is unknown, or a value is unusable.
    """
    environ = os.environ if environ is None else environ
    layers = [
        _from_file(_find_file(config, environ)),
        _from_environment(environ),
        {
            name: (value, COMMAND_LINE)
            for name, value in (overrides or {}).items()
            if value is not None
        },
    ]
    said: dict[str, tuple[object, str]] = {}
    for layer in layers:
        said |= layer
    return _checked(said)


def settings_with_sources(settings: Settings) -> list[tuple[str, str, str]]:
    """Return name, value and source of every setting, its secrets left out."""
    rows = []
    for name, value in settings:
        shown = "" if value is None else redacted(written(value))
        rows.append((name, shown, settings.sources.get(name, "default")))
    return rows


def _find_file(config: Path | None, environ: Mapping[str, str]) -> Path | None:
    named = environ.get(f"{PREFIX}CONFIG") if config is None else str(config)
    if named is not None:
        return Path(named).expanduser() if named else None
    here = Path(FILE_NAME)
    if here.exists():
        return here
    import platformdirs  # noqa: PLC0415 - only needed where no file is here

    users = Path(platformdirs.user_config_dir("media-nommer")) / FILE_NAME
    return users if users.exists() else None


def _from_file(path: Path | None) -> dict[str, tuple[object, str]]:
    if path is None:
        return {}
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise InvalidSetting(
            f"the settings file {path} cannot be read: {error.strerror}"
        ) from error
    except ValueError as error:  # bad TOML, or not UTF-8
        raise InvalidSetting(f"the settings file {path} is not TOML: {error}") from error
    _check_names(document, {name: name for name in document}, f"{path}")
    folder = path.absolute().parent
    return {
        name: (_from_folder(value, folder) if name in _PATHS else value, str(path))
        for name, value in document.items()
    }


def _from_folder(value: object, folder: Path) -> object:
    """Return paths of a settings file as they are meant: from the file's own folder."""
    if isinstance(value, list):
        return [_from_folder(part, folder) for part in value]
    return str(folder / Path(value).expanduser()) if isinstance(value, str) else value


def _from_environment(environ: Mapping[str, str]) -> dict[str, tuple[object, str]]:
    said = {
        name.removeprefix(PREFIX).lower(): name
        for name in environ
        if name.startswith(PREFIX) and name not in NOT_SETTINGS
    }
    _check_names(said, said, "the environment")
    return {name: (environ[variable], variable) for name, variable in said.items()}


def _check_names(names: Iterable[str], shown: Mapping[str, str], source: str) -> None:
    known = list(Settings.model_fields)
    for name in names:
        if name in known:
            continue
        close = difflib.get_close_matches(name, known, n=1)
        upper = shown[name] != name
        nearest = f"{PREFIX}{close[0].upper()}" if close and upper else close and close[0]
        hint = f", did you mean {nearest}?" if close else ";"
        raise InvalidSetting(
            f"{source} sets {shown[name]}, which is not known{hint} "
            f"known: {', '.join(known)}"
        )


def _checked(said: Mapping[str, tuple[object, str]]) -> Settings:
    try:
        settings = Settings.model_validate(
            {name: value for name, (value, _) in said.items()}
        )
    except ValidationError as error:
        raise InvalidSetting(_sentence(error, said)) from None
    settings._sources = {name: source for name, (_, source) in said.items()}
    if settings.min_nodes > settings.max_nodes:
        raise InvalidSetting(
            f"min_nodes is {settings.min_nodes} and max_nodes is {settings.max_nodes}: "
            "there cannot be fewer at most than at least"
        )
    for window in settings.schedule:
        most = settings.max_nodes if window.max_nodes is None else window.max_nodes
        if (window.min_nodes or 0) > most:
            raise InvalidSetting(
                f"the window {str(window)!r} of the schedule keeps more nodes than the "
                f"{most} that there may be; give it a max= as well"
            )
    return settings


def _sentence(error: ValidationError, said: Mapping[str, tuple[object, str]]) -> str:
    fault = error.errors(include_url=False, include_context=False)[0]
    name = str(fault["loc"][0]) if fault["loc"] else ""
    value, source = said.get(name, (fault["input"], "default"))
    shown = "***" if name in _NOT_SHOWN else redacted(f"{value!r}")
    known = f"; allowed: {words}" if (words := _allowed(name)) else f": {fault['msg']}"
    return f"{name} is {shown} (from {source}){known}"


def _allowed(name: str) -> str:
    """Return what a setting may be, in words; they stand in the annotation."""
    field = Settings.model_fields.get(name)
    if field is None:
        return ""
    parts: list[Any] = [*field.metadata]
    for option in getattr(field.annotation, "__args__", ()):
        parts += getattr(option, "__metadata__", ())
    return next((part.words for part in parts if isinstance(part, Allowed)), "")
