"""The fleet of processes on this machine."""

from media_nommer.adapters.local.fleet import LocalFleet

__all__ = ["LocalFleet"]
