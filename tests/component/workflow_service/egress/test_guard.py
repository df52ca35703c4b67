"""Server-side request forgery: many spellings of forbidden places, and a canary that counts."""

import itertools
from collections.abc import AsyncIterator, Callable, Sequence

import pytest
from aiohttp import web

from tests.component.workflow_service.egress.conftest import Server, names, serving
from workflow_service.adapters.egress import (
    EgressClient,
    EgressRefused,
    EgressRequest,
    RequestInvalid,
)


def v4_spellings(address: str) -> list[str]:
    """*address* as inet_aton and browsers would still read it."""
    octets = [int(part) for part in address.split(".")]
    number = int.from_bytes(bytes(octets), "big")
    forms: list[Callable[[int], str]] = [
        str,
        hex,
        lambda n: f"0{n:o}",
        lambda n: f"0x{n:08X}",
        lambda n: f"000{n:o}",
    ]
    dotted = [
        ".".join(form(octet) for form, octet in zip(chosen, octets, strict=True))
        for chosen in itertools.product(forms[:3], repeat=4)
    ]
    last24, last16 = number & 0xFFFFFF, number & 0xFFFF
    short = [f(number) for f in forms]
    short += [f"{f(octets[0])}.{g(last24)}" for f in forms for g in forms]
    short += [f"{f(octets[0])}.{f(octets[1])}.{g(last16)}" for f in forms for g in forms]
    fancy = [
        address.translate({ord("0") + n: chr(0xFF10 + n) for n in range(10)}),
        address.replace(".", "\u3002"),
        address.replace(".", "\uff0e"),
        address.replace("1", "%31"),
        address.replace(".", "%2e"),
        address.replace("1", "\u2460"),
        address + ".",
        address[0] + "\u00ad" + address[1:],
        address[0] + "\t" + address[1:],
        address[0] + "\n" + address[1:],
    ]
    return [*dotted, *short, *fancy]


def v6_spellings(address: str) -> list[str]:
    """IPv6 forms that carry *address* inside."""
    a, b, c, d = (int(part) for part in address.split("."))
    high, low = f"{a:02x}{b:02x}", f"{c:02x}{d:02x}"
    flipped = f"{(a << 8 | b) ^ 0xFFFF:x}:{(c << 8 | d) ^ 0xFFFF:x}"
    return [
        f"[::ffff:{address}]",
        f"[::ffff:{high}:{low}]",
        f"[0:0:0:0:0:ffff:{high}:{low}]",
        f"[::FFFF:{high}:{low}]",
        f"[::{address}]",
        f"[::ffff:0:{address}]",
        f"[64:ff9b::{address}]",
        f"[64:ff9b:1::{address}]",
        f"[2002:{high}:{low}::1]",
        f"[2001:0:{high}:{low}::]",
        f"[2001:0:4136:e378:8000:63bf:{flipped}]",
        f"[fe80::5efe:{address}]",
        f"[2606:4700::5efe:{address}]",
        f"[2606:4700::200:5efe:{address}]",
    ]


FORBIDDEN = ["127.0.0.1", "169.254.169.254", "10.0.0.1", "192.168.1.1", "0.0.0.0"]  # noqa: S104
SPELLINGS = [form for address in FORBIDDEN for form in v4_spellings(address)]
SPELLINGS += [form for address in FORBIDDEN for form in v6_spellings(address)]
SPELLINGS += ["[::1]", "[::]", "[0::1]", "[::0001]", "[fe80::1]", "[fd00::1]", "[ff02::1]", "0"]
SHAPES = ["http://{}:{}/", "https://{}:{}/x", "http:{}:{}/", "http:\\\\{}:{}\\", "HTTP:///{}:{}"]


@pytest.fixture
async def guarded() -> AsyncIterator[EgressClient]:
    lookup = names(
        localhost=["127.0.0.1"],
        evil_test=["127.0.0.1"],
        mixed_test=["8.8.8.8", "127.0.0.1"],
        six_test=["::1"],
        mapped_test=["::ffff:127.0.0.1"],
        metadata_test=["169.254.169.254"],
    )
    async with EgressClient(lookup=lookup) as client:
        yield client


async def test_no_spelling_of_a_forbidden_place_reaches_it(
    guarded: EgressClient, server: Server
) -> None:
    assert len(SPELLINGS) > 700
    for spelling in SPELLINGS:
        for shape in SHAPES:
            with pytest.raises((EgressRefused, RequestInvalid)):
                await guarded.request(EgressRequest("GET", shape.format(spelling, server.port)))
    assert server.requests == []


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST", "evil.test", "mixed.test", "six.test", "mapped.test"]
)
async def test_no_name_of_a_forbidden_place_reaches_it(
    guarded: EgressClient, server: Server, host: str
) -> None:
    with pytest.raises(EgressRefused):
        await guarded.request(EgressRequest("GET", server.url(host=host)))
    assert server.requests == []


async def test_a_refusal_tells_the_same_of_open_and_closed_ports(
    guarded: EgressClient, server: Server
) -> None:
    messages = set()
    for port in (server.port, 1, 9999, 65535):
        with pytest.raises(EgressRefused) as refusal:
            await guarded.request(EgressRequest("GET", f"http://127.0.0.1:{port}/"))
        messages.add(str(refusal.value))

    assert len(messages) == 1


@pytest.mark.parametrize(
    ("allow", "host"),
    [
        ("127.0.0.0/8", "127.0.0.1"),
        ("127.0.0.1", "0x7f.1"),
        ("127.0.0.1", "2130706433"),
        ("127.0.0.1", "[::ffff:7f00:1]"),
        ("127.0.0.1", "evil.test"),
        ("evil.test", "evil.test"),
    ],
)
async def test_what_the_operator_admits_is_reached(server: Server, allow: str, host: str) -> None:
    async with EgressClient(allow=[allow], lookup=names(evil_test=["127.0.0.1"])) as client:
        response = await client.request(EgressRequest("GET", server.url("/hello", host)))

    assert response.status == 200
    assert len(server.requests) == 1


async def test_a_host_that_is_admitted_by_name_is_not_admitted_by_address(server: Server) -> None:
    lookup = names(good_test=["127.0.0.1"], evil_test=["127.0.0.1"])
    async with EgressClient(allow=["good.test"], lookup=lookup) as client:
        await client.request(EgressRequest("GET", server.url(host="good.test")))
        for host in ("127.0.0.1", "evil.test"):
            with pytest.raises(EgressRefused):
                await client.request(EgressRequest("GET", server.url(host=host)))

    assert len(server.requests) == 1


async def test_the_suites_own_addresses_are_refused_though_admitted(server: Server) -> None:
    own = [f"127.0.0.1:{server.port}"]
    async with EgressClient(allow=["127.0.0.0/8"], own_addresses=lambda: own) as client:
        with pytest.raises(EgressRefused):
            await client.request(EgressRequest("GET", server.url()))
        own.clear()
        response = await client.request(EgressRequest("GET", server.url()))

    assert response.status == 200


async def test_a_name_that_changes_its_address_gains_nothing(server: Server) -> None:
    answers = [["127.0.0.2"], ["127.0.0.1"]]
    asked: list[str] = []

    async def rebinding(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return answers[min(len(asked), 2) - 1]

    decoy = Server()
    runner = await serving(decoy, "127.0.0.2", server.port)

    async def close(request: web.Request) -> web.StreamResponse:
        response = web.Response(text="decoy")
        response.force_close()
        return response

    decoy.answer = close
    async with EgressClient(allow=["127.0.0.2"], lookup=rebinding) as client:
        first = await client.request(EgressRequest("GET", server.url(host="rebind.test")))
        with pytest.raises(EgressRefused):
            await client.request(EgressRequest("GET", server.url(host="rebind.test")))
    await runner.cleanup()

    assert first.body == b"decoy"
    assert asked == ["rebind.test"] * 2
    assert server.requests == []


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.2:{}/",
        "//127.0.0.2:{}/",
        "http://evil.test:{}/",
        "http://[::1]:{}/",
        "file:///etc/passwd",
        "http://user:secret@127.0.0.1:{}/",
    ],
)
async def test_a_redirect_to_a_forbidden_place_is_refused(server: Server, location: str) -> None:
    async def redirect(request: web.Request) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": location.format(server.port)})

    server.answer = redirect
    lookup = names(evil_test=["127.0.0.2"])
    async with EgressClient(allow=["127.0.0.1"], lookup=lookup) as client:
        with pytest.raises(EgressRefused):
            await client.request(EgressRequest("GET", server.url(), follow_redirects=True))

    assert len(server.requests) == 1


async def test_proxy_variables_have_no_say(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1/")
    async with EgressClient(allow=["127.0.0.1"]) as client:
        response = await client.request(EgressRequest("GET", server.url()))

    assert response.status == 200
