"""The daemons as Twisted services, for `twistd`; nothing else here knows Twisted."""
