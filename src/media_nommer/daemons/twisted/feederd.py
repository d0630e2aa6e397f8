"""`twistd feederd`: what Twisted's plugin system asks for, by its own names."""

import atexit
from functools import partial

from media_nommer.daemons.twisted.logs import log_to_twisted
from media_nommer.daemons.twisted.options import FeederdOptions, settings_of
from media_nommer.daemons.twisted.service import DaemonService, exit_as
from media_nommer.feederd.running import Signals

Options = FeederdOptions


def makeService(options: FeederdOptions) -> DaemonService:
    """Return feederd with these options; nothing is opened before the reactor runs."""
    settings = settings_of("feederd", options)

    from twisted.internet import reactor  # not before: by now twistd has chosen it

    from media_nommer.daemons.feederd import feed_until_asked

    log_to_twisted("feederd", settings)
    signals = Signals()
    run = partial(feed_until_asked, settings, signals)
    service = DaemonService("feederd", run, signals.ask, reactor)
    atexit.register(exit_as, service)
    return service


__all__ = ["Options", "makeService"]
