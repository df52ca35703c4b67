"""Attack 21: bodies and workflows that are small to send and large to take in."""

import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest
from yarl import URL

from tests.e2e.attacks.raw import Answer, Raw, raw
from tests.support.gateway_client import Person
from tests.support.suite import Suite

MEBIBYTE = 1024 * 1024
GROWTH = 50 * MEBIBYTE
HEAD = b"document: {dsl: 1.0.3, namespace: attacks, name: bomb, version: 1.0.0}\n"
YAML, JSON = "application/yaml", "application/json"

LAUGHS = b"x:\n  a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + b"".join(
    b"  a%d: &a%d [%s]\n" % (n, n, b",".join([b"*a%d" % (n - 1)] * 10)) for n in range(1, 10)
)
PUBLISHED: dict[str, tuple[bytes, str, set[int]]] = {
    "billion laughs": (HEAD + LAUGHS + b"do: [{a: {set: *a9}}]", YAML, {400, 413, 422}),
    "an alias of itself": (HEAD + b"do: &a [*a]", YAML, {400, 422}),
    "merge keys": (HEAD + b"x: &x {a: 1}\ny: {<<: [*x,*x,*x]}\ndo: []", YAML, {400, 422}),
    "a python object": (HEAD + b"do: !!python/object/apply:os.system ['id']", YAML, {400, 422}),
    "a python name": (HEAD + b"do: !!python/name:os.system", YAML, {400, 422}),
    "an unknown tag": (HEAD + b"do: !x [{a: {set: {}}}]", YAML, {400, 422}),
    "several documents": (HEAD + b"do: [{a: {set: {}}}]\n---\nb: 1", YAML, {400, 422}),
    "deep yaml": (HEAD + b"do: " + b"[" * 100_000, YAML, {400, 413, 422}),
    "deep yaml maps": (HEAD + b"do: " + b"{a: " * 20_000, YAML, {400, 413, 422}),
    "deep json": (b'{"do":' + b"[" * 200_000, JSON, {400, 422}),
    "closed deep json": (b'{"do":' + b"[" * 100_000 + b"]" * 100_000 + b"}", JSON, {400, 422}),
    "a million tasks": (HEAD + b"do:\n" + b"- a: {set: {}}\n" * 1_000_000, YAML, {413, 422}),
    "sixty thousand tasks": (HEAD + b"do:\n" + b"- a: {set: {}}\n" * 60_000, YAML, {413, 422}),
    "a wide fork": (
        HEAD + b"do: [{f: {fork: {branches: [" + b",".join([b"{b: {set: {}}}"] * 20_000) + b"]}}}]",
        YAML,
        {413, 422},
    ),
    "ten thousand timers": (
        HEAD + b"do: [{f: {fork: {branches: [" + b",".join([b"{b: {wait: PT1H}}"] * 10_000) + b"]}}}]",
        YAML,
        {413, 422},
    ),
    "a function that calls itself": (
        HEAD + b"use: {functions: {f: {call: f}}}\ndo: [{a: {call: f}}]", YAML, {422},
    ),
    "functions that call each other": (
        HEAD + b"use: {functions: {f: {call: g}, g: {call: f}}}\ndo: [{a: {call: f}}]", YAML, {422},
    ),
    "duplicate keys in yaml": (HEAD + b"do: [{a: {set: {}}}]\ndo: []", YAML, {400, 422}),
    "duplicate keys in json": (b'{"document":{},"document":{}}', JSON, {400, 422}),
    "not a number": (b'{"a": NaN}', JSON, {400, 422}),
    "infinity": (b'{"a": Infinity}', JSON, {400, 422}),
    "not a number in yaml": (HEAD + b"do: [{a: {wait: {seconds: .nan}}}]", YAML, {400, 422}),
    "a huge number": (b'{"a": 1' + b"0" * 500_000 + b"}", JSON, {400, 422}),
    "a huge exponent": (b'{"a": 1e999999999}', JSON, {400, 422}),
    "a lone surrogate": (b'{"a": "\\ud800"}', JSON, {400, 422}),
    "a lone surrogate in bytes": (b'{"a": "\xed\xa0\x80"}', JSON, {400, 422}),
    "a null byte": (b'{"a": "\x00"}', JSON, {400, 422}),
    "utf-16": ('{"a": 1}'.encode("utf-16"), JSON, {400, 422}),
    "nothing": (b"", JSON, {400, 422}),
    "null": (b"null", JSON, {400, 422}),
    "a huge name": (HEAD.replace(b"bomb", b"b" * 300_000) + b"do: [{a: {set: {}}}]", YAML, {413, 422}),
    "a huge task name": (HEAD + b"do: [{" + b"a" * 500_000 + b": {set: {}}}]", YAML, {400, 413, 422}),
    "far too large": (HEAD + b"#" * (20 * MEBIBYTE), YAML, {413}),
    "the wrong type": (HEAD + b"do: [{a: {set: {}}}]", "text/html", {415}),
    "a form": (b"a=b", "application/x-www-form-urlencoded", {415}),
    "a multipart body as a file": (b"--x\r\n\r\n--x--", "multipart/form-data; boundary=x", {415}),
    "pickle": (b"\x80\x04.", "application/python-pickle", {415}),
    "xml": (b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>", "application/xml", {415}),
}  # fmt: skip
STARTED: dict[str, tuple[bytes, set[int]]] = {
    "deep input": (b'{"workflow":{"namespace":"a","name":"b"},"input":' + b"[" * 100_000 + b"]" * 100_000 + b"}", {400, 422}),
    "duplicate members": (b'{"workflow":{"namespace":"a","name":"b"},"workflow":{}}', {400, 422}),
    "not a number": (b'{"workflow":{"namespace":"a","name":"b"},"input":NaN}', {400, 422}),
    "a lone surrogate": (b'{"workflow":{"namespace":"a","name":"b"},"input":"\\udfff"}', {400, 422}),
    "large input": (b'{"workflow":{"namespace":"a","name":"b"},"input":"' + b"x" * (8 * MEBIBYTE) + b'"}', {413}),
    "a huge reference": (b'{"workflow":{"namespace":"' + b"a" * 200_000 + b'","name":"b"}}', {400, 404, 413, 422}),
    "unknown members": (b'{"workflow":{"namespace":"a","name":"b"},"tenant":"x","owner":"root"}', {400, 422}),
    "a priority from elsewhere": (b'{"workflow":{"namespace":"a","name":"b"},"priority":1e9}', {400, 422}),
    "an array": (b"[]", {400, 422}),
}  # fmt: skip
IDS = (
    "x" * 7000,
    "%00",
    "..%2f..%2fetc%2fpasswd",
    "%ff%fe",
    "1;drop table executions",
    "'%20or%201=1--",
    "%F0%9F%92%A3" * 300,
)


def resident(suite: Suite) -> int:
    """Bytes of memory that the suite's process has."""
    status = Path(f"/proc/{suite.process.pid}/status").read_text(encoding="ascii")
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024


async def unharmed(
    suite: Suite, attack: Callable[[], Awaitable[Answer]], expected: set[int]
) -> Answer:
    """The answer to *attack*, which must be one of *expected* and leave the memory as it was."""
    before = resident(suite)
    answer = await attack()
    growth = resident(suite) - before
    assert answer.status in expected, f"{answer.status}: {answer.body[:500]!r}"
    assert growth <= GROWTH, f"{growth / MEBIBYTE:.0f} MiB"
    assert "Traceback" not in str(answer.body)
    return answer


@pytest.fixture
async def api(suite: Suite, ada: Person) -> AsyncIterator[Raw]:
    async with raw(suite.url, ada) as client:
        yield client


@pytest.mark.parametrize("name", PUBLISHED)
async def test_a_document_that_is_a_bomb_is_refused(suite: Suite, api: Raw, name: str) -> None:
    body, kind, expected = PUBLISHED[name]

    answer = await unharmed(
        suite, lambda: api("POST", "/v1/workflows", body, Content_Type=kind), expected
    )

    assert set(answer.json["error"]) >= {"code", "message", "request_id"}


@pytest.mark.parametrize("name", STARTED)
async def test_a_start_that_is_a_bomb_is_refused(suite: Suite, api: Raw, name: str) -> None:
    body, expected = STARTED[name]

    await unharmed(suite, lambda: api("POST", "/v1/executions", body, Content_Type=JSON), expected)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "gzip, gzip"])
@pytest.mark.parametrize(
    "path", ["/v1/workflows", "/v1/executions", "/v1/auth/login", "/v1/events"]
)
async def test_packed_bodies_are_not_unpacked(
    suite: Suite, api: Raw, path: str, encoding: str
) -> None:
    bomb = gzip.compress(b" " * (64 * MEBIBYTE))

    await unharmed(
        suite,
        lambda: api("POST", path, bomb, Content_Type=JSON, Content_Encoding=encoding),
        {400, 413, 415},
    )


@pytest.mark.parametrize("number", range(len(IDS)))
async def test_ids_that_are_none_find_nothing(suite: Suite, api: Raw, number: int) -> None:
    for path in ("/v1/executions/{}", "/v1/executions/{}/history", "/v1/workflows/a/{}"):
        url = str(URL(suite.url + path.format(IDS[number]), encoded=True))
        await unharmed(suite, partial(api, "GET", url), {400, 404, 414, 422})


@pytest.mark.parametrize(
    ("tasks", "input", "statuses"),
    [
        ("[{a: {for: {in: '${ [range(1000000)] }'}, do: [{b: {set: {}}}]}}]", b"null", {"faulted"}),
        ("[{a: {set: {x: '${ . as $d | [range(100000)] | map($d) }'}}}]", b'"' + b"x" * 1000 + b'"', {"faulted"}),
        ("[{a: {set: {x: '${ .x + .x }'}, then: a}}]", b'{"x":"0123456789"}', {"faulted"}),
    ],
)  # fmt: skip
async def test_a_workflow_that_grows_without_end_faults(
    suite: Suite, api: Raw, tasks: str, input: bytes, statuses: set[str]
) -> None:
    name = f"grow-{abs(hash(tasks)) % 10**6}"
    document = HEAD.replace(b"bomb", name.encode()) + b"do: " + tasks.encode()
    published = await api("POST", "/v1/workflows", document, Content_Type=YAML)
    assert published.status in (200, 201, 422), published.body
    body = b'{"workflow":{"namespace":"attacks","name":"%s"},"input":%s}' % (name.encode(), input)

    ended = await unharmed(
        suite,
        lambda: api("POST", "/v1/executions?wait=30", body, Content_Type=JSON),
        {200} if published.status < 300 else {404},
    )

    assert published.status == 422 or ended.json["status"] in statuses


async def test_what_is_no_bomb_is_taken(api: Raw) -> None:
    plain = await api(
        "POST", "/v1/workflows", HEAD + b"do: [{a: {set: {x: 1}}}]", Content_Type=YAML
    )
    start = b'{"workflow":{"namespace":"attacks","name":"bomb"},"input":{"text":"\\ud83d\\ude00"}}'
    begun = await api("POST", "/v1/executions?wait=20", start, Content_Type=JSON)

    assert plain.status == 201
    assert (begun.status, begun.json["output"]) == (200, {"x": 1})
