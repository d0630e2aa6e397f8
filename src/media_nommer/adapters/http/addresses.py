"""Which addresses of the internet a URL that somebody sent us may lead to.

A worker stands inside somebody's network, beside services that trust all who can reach
them; the one that gives out the machine's own credentials is the best known.
"""

import socket
from collections.abc import Callable, Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from media_nommer.adapters.http.trouble import Interrupted
from media_nommer.core.errors import AccessDenied, SourceNotFound

#: Gives the addresses of a host, in the order in which they are to be tried.
Resolve = Callable[[str, int], Sequence[str]]

_PRIVATE = frozenset({"loopback", "private"})

#: What is not for everybody, by kind. Python's own lists differ from version to version.
_KINDS: Sequence[tuple[str, Sequence[str]]] = (
    (
        "metadata",
        (
            "168.63.129.16/32",  # Azure
            "100.100.100.200/32",  # Alibaba
            "fd00:ec2::/32",  # EC2
            "fd20:ce::/32",  # Google
            "fd00:42::42/128",  # Scaleway
        ),
    ),
    ("link-local", ("169.254.0.0/16", "fe80::/10")),
    ("unspecified", ("0.0.0.0/8", "::/128")),
    ("multicast", ("224.0.0.0/4", "ff00::/8")),
    ("loopback", ("127.0.0.0/8", "::1/128")),
    (
        "private",
        (
            "10.0.0.0/8",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "100.64.0.0/10",  # shared by the customers of a provider
            "198.18.0.0/15",  # benchmarks
            "fc00::/7",
        ),
    ),
    (
        "reserved",
        (
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.88.99.0/24",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "240.0.0.0/4",
            "2001::/23",  # Teredo and other protocols
            "2001:db8::/32",
            "3fff::/20",
        ),
    ),
)
_NETWORKS: tuple[tuple[IPv4Network | IPv6Network, str], ...] = tuple(
    (ip_network(text), kind) for kind, texts in _KINDS for text in texts
)
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")
_NOT_THERE = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}


def kind_of(text: str) -> str:
    """Return "public" for an address that everybody may use, or what it is instead.

    An IPv4 address that is wrapped in an IPv6 one is what counts of it.
    """
    address = ip_address(text)
    wrapped = _wrapped(address)
    if wrapped is not None:
        return kind_of(str(wrapped))
    for network, kind in _NETWORKS:
        if address in network:
            return kind
    if isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST:
        return "reserved"
    return "public"


def may_connect(text: str, *, private_networks: bool) -> bool:
    """Return whether an address may be connected to."""
    kind = kind_of(text)
    return kind == "public" or (private_networks and kind in _PRIVATE)


def look_up(host: str, port: int) -> Sequence[str]:
    """Return the addresses of a host, each once.

    Raises:
        SourceNotFound: there is no such host.
        Interrupted: nobody can tell at the moment.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise SourceNotFound(f"{host} cannot be the name of a host") from error
    except socket.gaierror as error:
        if error.errno in _NOT_THERE:
            raise SourceNotFound(f"there is no host called {host}") from error
        raise Interrupted(f"{host} cannot be looked up: {error.strerror}") from error
    return tuple(dict.fromkeys(str(each[4][0]) for each in found))


def checked(
    host: str, port: int, *, private_networks: bool, resolve: Resolve
) -> Sequence[str]:
    """Return the addresses of a host, all of which may be connected to.

    One that may not be is enough to refuse the host: its name is a trap, or a mistake.

    Raises:
        AccessDenied: one of them may not be connected to.
    """
    addresses = resolve(host, port)
    for address in addresses:
        if not may_connect(address, private_networks=private_networks):
            raise _refusal(host, kind_of(address))
    return addresses


def _refusal(host: str, kind: str) -> AccessDenied:
    """Say no without telling the address, which is not everybody's to know."""
    if kind in _PRIVATE:
        return AccessDenied(
            f"{host} is in a {kind} network, whose files are not read for everybody",
            advice="Give the URL of a public host, or allow `private_networks`.",
        )
    return AccessDenied(
        f"{host} leads to a {kind} address, which is never read from",
        advice="Give the URL of a public host.",
    )


def _wrapped(address: IPv4Address | IPv6Address) -> IPv4Address | None:
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour
