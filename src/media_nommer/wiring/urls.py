"""URLs of the settings: what serves them is told by their scheme."""

from media_nommer.conf.settings import Settings
from media_nommer.conf.values import redacted
from media_nommer.core.errors import InvalidSetting


def check_scheme(settings: Settings, name: str, known: tuple[str, ...]) -> None:
    """Check that a setting is a URL that something ``known`` serves.

    Raises:
        InvalidSetting: it is not.
    """
    url: str = getattr(settings, name)
    if scheme_of(url) not in known:
        allowed = ", ".join(f"{scheme}://" for scheme in known)
        source = settings.sources.get(name, "default")
        raise InvalidSetting(
            f"{name} is {redacted(url)!r} (from {source}); allowed: URLs with {allowed}"
        )


def place_of(url: str) -> str:
    """Return what follows the scheme: the name of a table, a domain, a queue."""
    return url.partition("://")[2].strip("/")


def scheme_of(url: str) -> str:
    """Return what is told by: the scheme, without a driver's name."""
    return url.partition("://")[0].partition("+")[0]
