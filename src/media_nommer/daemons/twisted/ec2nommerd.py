"""`twistd ec2nommerd`: what Twisted's plugin system asks for, by its own names."""

import atexit
from functools import partial

from media_nommer.daemons.twisted.logs import log_to_twisted, tail_of_twisted
from media_nommer.daemons.twisted.options import Ec2nommerdOptions, settings_of
from media_nommer.daemons.twisted.service import DaemonService, exit_as
from media_nommer.ec2nommerd.running import Requests

Options = Ec2nommerdOptions


def makeService(options: Ec2nommerdOptions) -> DaemonService:
    """Return ec2nommerd with these options; nothing is opened before the reactor runs."""
    settings = settings_of("ec2nommerd", options)

    from twisted.internet import reactor  # not before: by now twistd has chosen it

    from media_nommer.daemons.ec2nommerd import nom_until_asked

    log_to_twisted("ec2nommerd", settings)
    requests = Requests()
    node_id, kept = options["node-id"], bool(options["kept"])
    tail = tail_of_twisted() if settings.machine == "ec2" else None
    run = partial(nom_until_asked, settings, requests, node_id, kept=kept, tail=tail)
    service = DaemonService("ec2nommerd", run, requests.ask, reactor)
    atexit.register(exit_as, service)
    return service


__all__ = ["Options", "makeService"]
