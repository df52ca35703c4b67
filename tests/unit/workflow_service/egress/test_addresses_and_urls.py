# ruff: noqa: S104 - addresses to judge, not to bind
"""Which addresses are judged how, and how URLs are read. No sockets."""

import json
import socket
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path

import pytest

from workflow_service.adapters.egress import EgressRefused, EntryInvalid, RequestInvalid
from workflow_service.adapters.egress.addresses import AddressPolicy, admission
from workflow_service.adapters.egress.connecting import ConnectRefused, GuardedResolver
from workflow_service.adapters.egress.urls import target

VECTORS = Path(__file__).parents[5] / "shared" / "vectors" / "urltestdata.json"

NOT_GLOBAL = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.9",
    "224.0.0.1",
    "239.1.2.3",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::7f00:1",
    "100::1",
    "2001::1",
    "2001:0:7f00:1::",
    "2001:0:4136:e378:8000:63bf:80ff:fffe",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
    "2002:808:808::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00::1",
    "fd12:3456::1",
    "fe80::1",
    "fe80::5efe:7f00:1",
    "2606:4700::5efe:7f00:1",
    "2606:4700::200:5efe:a9fe:a9fe",
    "2606:4700::5efe:127.0.0.1",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    "4000::1",
    "::2",
]
GLOBAL = [
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.1",
    "169.253.255.255",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.1",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "2606:4700:4700::1111",
    "2001:4860:4860::8888",
    "2a00:1450:4001:801::200e",
    "::ffff:8.8.8.8",
]


def policy(*allow: str, own: Sequence[str] = ()) -> AddressPolicy:
    return AddressPolicy(allow, lambda: own)


def permits(judge: AddressPolicy, address: str, port: int = 443, host: str = "x.test") -> bool:
    return judge.permits(host, ip_address(address), port)


@pytest.mark.parametrize("address", NOT_GLOBAL)
def test_what_is_not_global_unicast_is_refused(address: str) -> None:
    assert not permits(policy(), address)


@pytest.mark.parametrize("address", GLOBAL)
def test_global_unicast_is_permitted(address: str) -> None:
    assert permits(policy(), address)


def test_ports_of_other_protocols_are_refused_unless_admitted() -> None:
    assert not permits(policy(), "8.8.8.8", 25)
    assert not permits(policy(), "8.8.8.8", 0)
    assert permits(policy("8.8.8.8:25"), "8.8.8.8", 25)


@pytest.mark.parametrize(
    ("entry", "host", "address", "port", "permitted"),
    [
        ("10.1.0.0/16", "x", "10.1.2.3", 80, True),
        ("10.1.0.0/16", "x", "10.2.2.3", 80, False),
        ("10.1.0.0/16", "x", "::ffff:10.1.2.3", 80, True),
        ("127.0.0.1", "x", "127.0.0.1", 9, True),
        ("127.0.0.1", "x", "127.0.0.2", 80, False),
        ("127.0.0.1:8080", "x", "127.0.0.1", 8080, True),
        ("127.0.0.1:8080", "x", "127.0.0.1", 8081, False),
        ("[::1]:8080", "x", "::1", 8080, True),
        ("[::1]", "x", "::1", 1, True),
        ("fd00::/8", "x", "fd12::1", 80, True),
        ("Stub.internal", "stub.internal", "10.0.0.9", 80, True),
        ("stub.internal", "stub.internal.", "10.0.0.9", 80, True),
        ("stub.internal", "evil.stub.internal", "10.0.0.9", 80, False),
        ("stub.internal:80", "stub.internal", "10.0.0.9", 81, False),
    ],
)
def test_the_operators_list_admits_exactly_what_it_names(
    entry: str, host: str, address: str, port: int, permitted: bool
) -> None:
    assert permits(policy(entry), address, port, host) is permitted


@pytest.mark.parametrize("entry", ["", "a b", "10.0.0.0/99", "http://x/", ":80"])
def test_unreadable_entries_are_refused_at_once(entry: str) -> None:
    with pytest.raises(EntryInvalid):
        admission(entry)


@pytest.mark.parametrize(
    ("own", "host", "address", "port", "permitted"),
    [
        ("127.0.0.1:50051", "x", "127.0.0.1", 50051, False),
        ("127.0.0.1:50051", "x", "::ffff:127.0.0.1", 50051, False),
        ("127.0.0.1:50051", "x", "0.0.0.0", 50051, False),
        ("127.0.0.1:50051", "x", "127.0.0.1", 50052, True),
        ("localhost:50051", "x", "127.0.0.1", 50051, False),
        ("[::1]:50051", "x", "127.0.0.1", 50051, False),
        ("0.0.0.0:50051", "x", "10.0.0.7", 50051, False),
        ("0.0.0.0:50051", "x", "10.0.0.7", 443, True),
        ("10.0.0.7:50051", "x", "10.0.0.7", 50051, False),
        ("auth.internal:50051", "auth.internal", "10.0.0.7", 50051, False),
        ("auth.internal:50051", "auth.internal.", "10.0.0.7", 50051, False),
    ],
)
def test_the_suites_own_services_are_refused_even_if_their_network_is_admitted(
    own: str, host: str, address: str, port: int, permitted: bool
) -> None:
    judge = policy("0.0.0.0/0", "::/0", own=[own])

    assert permits(judge, address, port, host) is permitted


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "ftp://example.com/",
        "unix:/run/docker.sock",
        "data:text/plain,x",
        "javascript:alert(1)",
        "ws://example.com/",
        "http://user@example.com/",
        "http://user:secret@example.com/",
        "http://:secret@example.com/",
        "http://example.com@127.0.0.1/",
    ],
)
def test_other_schemes_and_user_names_are_refused(url: str) -> None:
    with pytest.raises(EgressRefused):
        target(url)


@pytest.mark.parametrize("url", ["", "/relative", "//host/x", "http://", "http://a b/", "x" * 9000])
def test_what_is_no_url_is_invalid(url: str) -> None:
    with pytest.raises(RequestInvalid):
        target(url)


def test_urls_are_read_once_and_normalised() -> None:
    found = target("HTTP:\\\\EXAMPLE.com:80\\a b/../c?q=é#frag")

    assert str(found.url) == "http://example.com/c?q=%C3%A9"
    assert found.origin == ("http", "example.com", 80)


@pytest.mark.skipif(not VECTORS.exists(), reason="the WHATWG vectors are not here")
def test_urls_are_read_as_the_standard_says() -> None:
    checked = 0
    for case in json.loads(VECTORS.read_text()):
        if isinstance(case, str) or case.get("base") is not None:
            continue
        try:
            found = target(case["input"])
        except (EgressRefused, RequestInvalid):
            continue
        checked += 1
        assert not case.get("failure"), case
        assert found.host == case["hostname"].strip("[]"), case
        assert found.scheme == case["protocol"].strip(":")

    assert checked > 100


async def test_a_name_with_one_bad_address_is_refused_as_a_whole() -> None:
    async def lookup(host: str, port: int) -> Sequence[str]:
        return ["8.8.8.8", "127.0.0.1"]

    resolver = GuardedResolver(policy(), lookup)

    with pytest.raises(EgressRefused):
        await resolver.resolve("x.test", 80)


async def test_sockets_are_made_for_judged_addresses_only() -> None:
    async def lookup(host: str, port: int) -> Sequence[str]:
        return ["8.8.8.8"]

    resolver = GuardedResolver(policy(), lookup)
    await resolver.resolve("x.test", 443)

    assert resolver.is_admitted(("8.8.8.8", 443))
    for address in [("8.8.8.8", 444), ("8.8.4.4", 443), ("127.0.0.1", 443), ("::1", 443, 0, 0)]:
        with pytest.raises(ConnectRefused):
            resolver.socket_for((socket.AF_INET, socket.SOCK_STREAM, 6, "", address))
