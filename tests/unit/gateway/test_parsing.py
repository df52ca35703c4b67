"""Targets, versions, queries, bodies, addresses: all that is read from a request."""

from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Annotated

import pytest
from aiohttp import web
from msgspec import UNSET, Meta, Raw, Struct, UnsetType, field

from chassis.errors import Invalid, Malformed, NotFound
from gateway.routes import bodies
from gateway.routes.address import client_address, limit_key
from gateway.routes.headers import acceptable_request_id
from gateway.routes.problems import RequestRefused, WrongMethod
from gateway.routes.queries import Query
from gateway.routes.route import Access, Incoming, Reply, Route
from gateway.routes.router import RouteIncomplete, Router, UnknownVersion, split_target


async def nothing(request: Incoming) -> web.StreamResponse:
    """A handler that is never called here."""
    raise AssertionError


def route(method: str, path: str, permission: str | Access | None = Access.PUBLIC) -> Route:
    """A route as far as matching goes."""
    return Route(
        method=method, path=path, handler=nothing, summary="", tag="", permission=permission,
        replies=[Reply(200, "")],
    )  # fmt: skip


ROUTER = Router(
    [
        route("GET", "/healthz"),
        route("GET", "/v1/things"),
        route("POST", "/v1/things"),
        route("GET", "/v1/things/{id}"),
        route("GET", "/v1/things/stream"),
        route("GET", "/v1/things/{group}/{name}/{version}"),
    ]
)


@pytest.mark.parametrize(
    ("path", "version", "found", "arguments"),
    [
        ("/healthz", None, "/healthz", {}),
        ("/healthz", "v1", "/healthz", {}),
        ("/v1/things", None, "/v1/things", {}),
        ("/things", None, "/v1/things", {}),
        ("/things", "1", "/v1/things", {}),
        ("/v2/things", "1", "/v1/things", {}),
        ("/v1/things/a%20b", None, "/v1/things/{id}", {"id": "a b"}),
        ("/v1/things/%C3%BC", None, "/v1/things/{id}", {"id": "ü"}),
        ("/v1/things/stream", None, "/v1/things/stream", {}),
        ("/v1/things/g/n/1.0.0+b", None, "/v1/things/{group}/{name}/{version}",
         {"group": "g", "name": "n", "version": "1.0.0+b"}),
    ],
)  # fmt: skip
def test_paths_find_their_route(
    path: str, version: str | None, found: str, arguments: dict[str, str]
) -> None:
    matched, given = ROUTER.find("GET", path, version)

    assert (matched.path, given) == (found, arguments)


@pytest.mark.parametrize(
    "path", ["/v1", "/v1/", "/v1/things/", "/other", "/v1/v1/things", "/v1things"]
)
def test_other_paths_find_nothing(path: str) -> None:
    with pytest.raises(NotFound):
        ROUTER.find("GET", path, None)


@pytest.mark.parametrize(("path", "version"), [("/v2/things", None), ("/v1/things", "2"), ("/v9", None),
                                               ("/v1/things", ""), ("/v1/things", "v1.1")])  # fmt: skip
def test_unknown_versions_are_refused(path: str, version: str | None) -> None:
    with pytest.raises(UnknownVersion):
        ROUTER.find("GET", path, version)


def test_a_wrong_method_names_the_right_ones() -> None:
    with pytest.raises(WrongMethod) as refused:
        ROUTER.find("DELETE", "/v1/things", None)

    assert refused.value.allowed == ("GET", "HEAD", "POST")


def test_an_argument_that_is_not_utf_8_is_refused() -> None:
    with pytest.raises(Malformed):
        ROUTER.find("GET", "/v1/things/%FF", None)


def test_a_route_without_a_permission_stops_the_start() -> None:
    with pytest.raises(RouteIncomplete, match="declares no permission"):
        Router([route("GET", "/x", None)])
    with pytest.raises(RouteIncomplete, match="twice"):
        Router([route("GET", "/x/{a}"), route("GET", "/x/{b}")])


@pytest.mark.parametrize(
    "target",
    ["", "*", "x", "http://x/", "//x", "/a//b", "/a/../b", "/a/.", "/%2e/", "/a%2Fb", "/a%5cb", "/a%00",
     "/a%", "/a%zz", "/a;b", "/a b", "/a\\b", "/ü", "/a#b", "/a?ü", "/a?b c", "/a?b#c", "/a\udcff"],
)  # fmt: skip
def test_odd_targets_are_refused(target: str) -> None:
    with pytest.raises(RequestRefused):
        split_target(target)


def test_plain_targets_are_split() -> None:
    assert split_target("/a/.well-known/b.c?x=1?2&y=%2f//") == (
        "/a/.well-known/b.c",
        "x=1?2&y=%2f//",
    )
    assert split_target("/") == ("/", "")


def test_queries_are_typed_and_their_problems_gathered() -> None:
    query = Query("limit=7&cursor=c&on&from=2026-01-01T00:00:00+01:00&s=a,b&s=c&wait=1.5")

    assert (query.page().limit, query.page().cursor) == (7, "c")
    assert query.flag("on") is True
    assert query.flag("off") is False
    assert query.time("from") == datetime(2025, 12, 31, 23, tzinfo=UTC)
    assert query.choices("s", "abc") == ("a", "b", "c")
    assert query.seconds("wait", 60) == 1.5
    query.check()

    bad = Query("limit=x&from=x&s=z&wait=61&a=1&a=2&flag=maybe&wait2=1e1")
    bad.page()
    bad.time("from")
    bad.choices("s", "abc")
    bad.seconds("wait", 60)
    bad.text("a")
    bad.flag("flag")
    bad.seconds("wait2", 60)
    with pytest.raises(Invalid) as refused:
        bad.check()
    names = {problem.field for problem in refused.value.details}
    assert names == {"limit", "from", "s", "wait", "a", "flag", "wait2"}


@pytest.mark.parametrize("text", ["a=%ff", "&".join(f"a{n}=1" for n in range(65))])
def test_queries_that_cannot_be_decoded_are_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        Query(text)


class Inner(Struct):
    """Something within."""

    name: Annotated[str, Meta(min_length=1)]


class Outer(Struct):
    """A body."""

    inner: Inner
    count: Annotated[int, Meta(ge=0, le=9)] = 0
    data: Raw | UnsetType = UNSET
    tags: list[str] | None = None
    since: Annotated[datetime, Meta(tz=True)] | None = field(name="from", default=None)
    labels: dict[Annotated[str, Meta(max_length=3)], str] = field(default_factory=dict)


def test_a_body_becomes_its_struct_with_raw_data_untouched() -> None:
    body = bodies.read(Outer, b'{"inner": {"name": "a"}, "data": {"x": 1.50}, "tags": null}')

    assert body.inner.name == "a"
    assert isinstance(body.data, Raw)
    assert bytes(body.data) == b'{"x": 1.50}'
    assert body.tags is None


@pytest.mark.parametrize(
    ("body", "problems"),
    [
        (b"{}", {"inner": "is required"}),
        (b"", {"inner": "is required"}),
        (b"[]", {"": "must be an object"}),
        (b'{"inner": 1}', {"inner": "must be an object"}),
        (b'{"inner": {"name": ""}}', {"inner.name": "must be a string with a length >= 1"}),
        (b'{"inner": {}, "count": 10, "more": 1, "tags": [1]}',
         {"inner.name": "is required", "count": "must be a whole number <= 9",
          "more": "is not a known field", "tags[0]": "must be a string, got a whole number"}),
        (b'{"inner": {"name": "a"}, "from": 1, "labels": {"long": "x"}}',
         {"from": "must be a time (RFC 3339) or null, got a whole number",
          "labels": "must be a string with a length <= 3"}),
        (b'{"inner": {"name": "a"}, "from": "now"}',
         {"from": "must be a time (RFC 3339), such as 2026-01-15T10:30:00Z"}),
    ],
)  # fmt: skip
def test_all_problems_of_a_body_are_named(body: bytes, problems: dict[str, str]) -> None:
    with pytest.raises(Invalid) as refused:
        bodies.read(Outer, body)

    assert {each.field: each.message for each in refused.value.details} == problems


PROXIES = (ip_network("10.0.0.0/8"),)


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("1.1.1.1", ["9.9.9.9"], "1.1.1.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["9.9.9.9"], "9.9.9.9"),
        ("10.0.0.1", ["6.6.6.6, 9.9.9.9, 10.0.0.2"], "9.9.9.9"),
        ("10.0.0.1", ["6.6.6.6", "9.9.9.9"], "9.9.9.9"),
        ("10.0.0.1", ["nonsense"], "10.0.0.1"),
        ("::ffff:10.0.0.1", ["9.9.9.9"], "9.9.9.9"),
    ],
)
def test_the_client_is_who_the_last_trusted_proxy_saw(
    peer: str, forwarded: list[str], client: str
) -> None:
    assert client_address(peer, forwarded, PROXIES) == client


def test_ipv6_customers_are_limited_by_their_network() -> None:
    assert limit_key("2001:db8:1:2:3::4") == limit_key("2001:db8:1:2::9")
    assert limit_key("192.0.2.1") == "192.0.2.1"


def test_request_ids_of_clients_are_taken_only_when_harmless() -> None:
    assert acceptable_request_id("a.B-9_") == "a.B-9_"
    for bad in (None, "", "a b", "a\n", "ü", "x" * 129):
        assert acceptable_request_id(bad) is None
