import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_nommer.adapters.http.addresses import checked, kind_of, look_up, may_connect
from media_nommer.core.errors import AccessDenied, SourceNotFound, StorageError


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("93.184.215.14", "public"),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", "public"),
        ("::ffff:93.184.215.14", "public"),
        ("64:ff9b::5db8:d70e", "public"),
        ("127.0.0.1", "loopback"),
        ("127.255.0.9", "loopback"),
        ("::1", "loopback"),
        ("::ffff:127.0.0.1", "loopback"),
        ("10.0.0.1", "private"),
        ("172.16.0.1", "private"),
        ("172.31.255.255", "private"),
        ("172.32.0.1", "public"),
        ("192.168.1.1", "private"),
        ("100.64.0.1", "private"),
        ("fd12:3456::1", "private"),
        ("::ffff:10.0.0.1", "private"),
        ("64:ff9b::a00:1", "private"),
        ("2002:a00:1::", "private"),
        ("169.254.169.254", "link-local"),
        ("169.254.0.1", "link-local"),
        ("fe80::1", "link-local"),
        ("fe80::1%eth0", "link-local"),
        ("febf::1", "link-local"),
        ("::ffff:169.254.169.254", "link-local"),
        ("64:ff9b::a9fe:a9fe", "link-local"),
        ("2002:a9fe:a9fe::1", "link-local"),
        ("fd00:ec2::254", "metadata"),
        ("fd20:ce::254", "metadata"),
        ("168.63.129.16", "metadata"),
        ("100.100.100.200", "metadata"),
        ("0.0.0.0", "unspecified"),
        ("0.1.2.3", "unspecified"),
        ("::", "unspecified"),
        ("::ffff:0.0.0.0", "unspecified"),
        ("224.0.0.1", "multicast"),
        ("239.255.255.255", "multicast"),
        ("ff02::1", "multicast"),
        ("240.0.0.1", "reserved"),
        ("255.255.255.255", "reserved"),
        ("192.0.2.1", "reserved"),
        ("2001:db8::1", "reserved"),
        ("2001::1", "reserved"),
        ("fec0::1", "reserved"),
        ("::127.0.0.1", "reserved"),
        ("64:ff9b:1::a9fe:a9fe", "reserved"),
    ],
)
def test_an_address_is_of_its_kind(address: str, kind: str) -> None:
    assert kind_of(address) == kind


@pytest.mark.parametrize("kind", ["link-local", "metadata", "multicast", "unspecified"])
def test_opening_private_networks_opens_nothing_else(kind: str) -> None:
    address = {
        "link-local": "169.254.169.254",
        "metadata": "fd00:ec2::254",
        "multicast": "224.0.0.1",
        "unspecified": "0.0.0.0",
    }[kind]

    assert not may_connect(address, private_networks=True)
    assert may_connect("10.0.0.1", private_networks=True)
    assert may_connect("::1", private_networks=True)


@given(st.ip_addresses(v=4))
def test_an_address_is_judged_the_same_however_it_is_wrapped(address: IPv4Address) -> None:
    number = int(address)
    mapped = IPv6Address((0xFFFF << 32) | number)
    six_to_four = IPv6Address((0x2002 << 112) | (number << 80) | 1)
    nat64 = IPv6Address((0x64FF9B << 96) | number)

    kinds = {kind_of(str(each)) for each in (address, mapped, six_to_four, nat64)}

    assert kinds == {kind_of(str(address))}


@given(st.ip_addresses())
def test_what_python_knows_to_be_no_place_of_the_internet_is_never_public(
    address: IPv4Address | IPv6Address,
) -> None:
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or address
    if (
        address.is_private
        or address.is_link_local
        or address.is_loopback
        or address.is_multicast
        or address.is_unspecified
    ):
        assert kind_of(str(address)) != "public"


@given(st.ip_addresses(), st.booleans())
def test_link_local_is_closed_whatever_is_opened(
    address: IPv4Address | IPv6Address, private_networks: bool
) -> None:
    if address.is_link_local or address.is_multicast or address.is_unspecified:
        assert not may_connect(str(address), private_networks=private_networks)


@given(st.lists(st.ip_addresses().map(str), min_size=1), st.booleans())
def test_a_host_is_allowed_only_with_all_its_addresses(
    addresses: list[str], private_networks: bool
) -> None:
    fine = all(may_connect(a, private_networks=private_networks) for a in addresses)

    def ask() -> Sequence[str]:
        return checked(
            "host",
            80,
            private_networks=private_networks,
            resolve=lambda host, port: addresses,
        )

    if fine:
        assert ask() == addresses
        return
    with pytest.raises(AccessDenied):
        ask()


@pytest.mark.parametrize(
    ("number", "error", "retryable"),
    [
        (socket.EAI_NONAME, SourceNotFound, False),
        (socket.EAI_AGAIN, StorageError, True),
        (socket.EAI_FAIL, StorageError, True),
    ],
)
def test_a_host_that_nobody_knows_differs_from_one_that_nobody_can_look_up_now(
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    error: type[StorageError],
    retryable: bool,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror(number, "it says why")

    monkeypatch.setattr(socket, "getaddrinfo", fail)

    with pytest.raises(error, match=r"films\.example") as failed:
        look_up("films.example", 80)

    assert failed.value.retryable is retryable
