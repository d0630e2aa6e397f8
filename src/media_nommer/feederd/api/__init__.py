"""The JSON API under ``/v1``."""

from media_nommer.feederd.api.app import create_app

__all__ = ["create_app"]
