"""Numbers as people read them."""

from datetime import datetime, timedelta


def bytes_text(size: float) -> str:
    """Return a number of bytes with three digits that matter: ``12.3 MB``."""
    if size < 1000:
        return f"{size:.0f} B"
    for unit in ("kB", "MB", "GB"):
        size /= 1000
        if size < 999.5:
            return f"{size:.3g} {unit}" if size < 99.95 else f"{size:.0f} {unit}"
    return f"{size / 1000:.3g} TB"


def clock_text(seconds: float) -> str:
    """Return a length of media or of waiting: ``0:07``, ``9:56``, ``1:02:03``."""
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def took_text(seconds: float) -> str:
    """Return how long something took: ``2.4 s``, or as a clock from a minute on."""
    return f"{seconds:.1f} s" if seconds < 59.95 else clock_text(seconds)


def speed_text(speed: float | None) -> str:
    """Return times real time: ``3.2x``; nothing where it is not known."""
    if not speed:
        return ""
    return f"{speed:.1f}x" if speed < 99.95 else f"{speed:.0f}x"


def percent_text(fraction: float) -> str:
    """Return a fraction of 1 in whole percent; 100% is only said of all of it."""
    return f"{int(min(max(fraction, 0.0), 1.0) * 100 + 1e-9)}%"


def ago_text(moment: datetime, now: datetime) -> str:
    """Return how long ago something was: ``5 s ago``, ``3 min ago``, ``2 h ago``."""
    gone = max(now - moment, timedelta())
    seconds = int(gone.total_seconds())
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} s ago"


def count_text(number: int, one: str, many: str | None = None) -> str:
    """Return a number and its noun: ``1 job``, ``3 jobs``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def dollars_text(cost: float) -> str:
    """Return US dollars: in cents from a dollar on, in hundredths of a cent below."""
    if 0 < cost < 0.00005:
        return "<$0.0001"
    return f"${cost:,.2f}" if cost >= 1 or not cost else f"${cost:.4f}"
