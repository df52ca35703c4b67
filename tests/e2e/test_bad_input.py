"""Whatever is sent: the right 4xx in the one error shape, never a 5xx."""

import asyncio
import io
import json
import tarfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TypeVar

import aiohttp
import pytest

from autoworker import AutoworkerError, InvalidRequest
from tests.support.gateway_client import PASSWORD, Person
from tests.support.http_session import http_session
from tests.support.suite import ROOT, Suite

VECTORS = ROOT.parent / "shared" / "vectors"
PARSING = VECTORS / "JSONTestSuite.tar.gz"
NAUGHTY = VECTORS / "blns.json"
AT_ONCE = 16

T = TypeVar("T")
Answer = tuple[int, bytes]


@pytest.fixture
async def http(suite: Suite, ada: Person) -> AsyncIterator[aiohttp.ClientSession]:
    tokens = await ada.login(ada.email, PASSWORD)
    headers = {"Authorization": f"Bearer {tokens.access_token}"}
    async with http_session(suite.url, headers=headers) as session:
        yield session


async def posted(
    http: aiohttp.ClientSession, path: str, body: bytes, kind: str = "application/json"
) -> Answer:
    async with http.post(path, data=body, headers={"Content-Type": kind}) as answer:
        return answer.status, await answer.read()


async def for_each(
    items: Sequence[T], work: Callable[[T], Awaitable[Answer]]
) -> list[tuple[T, Answer]]:
    places = asyncio.Semaphore(AT_ONCE)

    async def one(item: T) -> tuple[T, Answer]:
        async with places:
            return item, await work(item)

    return await asyncio.gather(*map(one, items))


def error_of(answer: Answer) -> dict[str, object]:
    error: dict[str, object] = json.loads(answer[1])["error"]
    assert {"code", "message", "details", "timestamp", "request_id"} <= error.keys()
    return error


@pytest.mark.parametrize(
    ("method", "path", "body", "kind", "status", "code"),
    [
        ("GET", "/v1/nowhere", None, "", 404, "NOT_FOUND"),
        ("DELETE", "/v1/executions", None, "", 405, "METHOD_NOT_ALLOWED"),
        ("POST", "/v1/executions", b"{", "application/json", 400, "VALIDATION_ERROR"),
        ("POST", "/v1/executions", b'{"a":1,"a":2}', "application/json", 400, "VALIDATION_ERROR"),
        ("POST", "/v1/executions", b"{}", "application/json", 422, "VALIDATION_ERROR"),
        ("POST", "/v1/executions", b"<a/>", "text/xml", 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("POST", "/v1/workflows", b"a: [", "application/yaml", 400, "VALIDATION_ERROR"),
        ("POST", "/v1/workflows", b"- 1", "application/yaml", 422, "VALIDATION_ERROR"),
        ("POST", "/v1/workflows", b" " * (1 << 21), "application/yaml", 413, "PAYLOAD_TOO_LARGE"),
        ("POST", "/v1/events", b"[]x", "application/json", 400, "VALIDATION_ERROR"),
        ("GET", "/v1/executions?limit=0", None, "", 422, "VALIDATION_ERROR"),
        ("GET", "/v1/executions?status=lost", None, "", 422, "VALIDATION_ERROR"),
        ("GET", "/v9/executions", None, "", 400, "VALIDATION_ERROR"),
    ],
)
async def test_a_wrong_request_gets_the_right_answer(
    http: aiohttp.ClientSession,
    method: str,
    path: str,
    body: bytes | None,
    kind: str,
    status: int,
    code: str,
) -> None:
    headers = {"Content-Type": kind} if kind else {}
    data = None if body is None else io.BytesIO(body)
    async with http.request(method, path, data=data, headers=headers) as answer:
        got = answer.status, await answer.read()

    assert got[0] == status
    assert error_of(got)["code"] == code


async def test_a_yaml_bomb_is_refused(http: aiohttp.ClientSession) -> None:
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]

    answer = await posted(http, "/v1/workflows", "\n".join(levels).encode(), "application/yaml")

    assert answer[0] in {400, 413, 422}


@pytest.mark.skipif(not PARSING.exists(), reason="the vectors are not here")
@pytest.mark.parametrize("path", ["/v1/executions", "/v1/workflows", "/v1/events"])
async def test_malformed_json_is_400_and_nothing_is_5xx(
    http: aiohttp.ClientSession, path: str
) -> None:
    with tarfile.open(PARSING) as archive:
        cases = [
            (member.name.rpartition("/")[2], file.read())
            for member in archive
            if "/test_parsing/" in member.name and (file := archive.extractfile(member))
        ]
    assert len(cases) > 300

    answers = await for_each(cases, lambda case: posted(http, path, case[1]))

    for (name, _), answer in answers:
        allowed = {400} if name.startswith("n_") else {400, 413, 422}
        assert answer[0] in allowed, (name, answer)
        error_of(answer)


@pytest.mark.skipif(not NAUGHTY.exists(), reason="the vectors are not here")
async def test_naughty_strings_are_data_wherever_they_stand(ada: Person) -> None:
    definition = await ada.publish(
        "document: {dsl: 1.0.3, namespace: tests, name: echo, version: 1.0.0}\n"
        "do: [{echo: {set: '${ . }'}}]\n"
    )
    strings: list[str] = json.loads(NAUGHTY.read_text(encoding="utf-8"))

    async def echoed(text: str) -> Answer:
        execution = await ada.start(
            definition.reference, {"text": text, text: 1}, wait=30, tags={"text": text[:256]}
        )
        assert execution.output == {"text": text, text: 1} or text == "text"
        return 200, b""

    assert len(await for_each(strings, echoed)) == len(strings)


@pytest.mark.skipif(not NAUGHTY.exists(), reason="the vectors are not here")
async def test_naughty_strings_are_never_a_5xx(http: aiohttp.ClientSession, ada: Person) -> None:
    strings: list[str] = json.loads(NAUGHTY.read_text(encoding="utf-8"))
    strings = [text for text in strings if text.strip("./")]
    workflow = {"namespace": "tests", "name": "nowhere"}
    shapes: list[tuple[str, Callable[[str], object]]] = [
        ("/v1/auth/register", lambda text: {"email": text, "password": text, "name": text}),
        ("/v1/auth/login", lambda text: {"email": text, "password": text}),
        ("/v1/auth/refresh", lambda text: {"refresh_token": text}),
        ("/v1/executions", lambda text: {"workflow": {**workflow, "version": text}}),
        ("/v1/executions", lambda text: {"workflow": workflow, "run_at": text}),
        (
            "/v1/workflows",
            lambda text: {"document": {"name": text, "dsl": text}, "do": [{text: 1}]},
        ),
        (
            "/v1/events",
            lambda text: {"specversion": text, "id": text, "source": text, "type": text},
        ),
    ]
    cases = [(path, json.dumps(shape(text)).encode()) for path, shape in shapes for text in strings]

    answers = await for_each(cases, lambda case: posted(http, case[0], case[1]))

    for case, answer in answers:
        assert 400 <= answer[0] < 500 or answer[0] in {201, 202}, (case, answer)


@pytest.mark.skipif(not NAUGHTY.exists(), reason="the vectors are not here")
async def test_naughty_strings_in_paths_and_queries_are_never_a_5xx(ada: Person) -> None:
    strings: list[str] = json.loads(NAUGHTY.read_text(encoding="utf-8"))

    async def asked(text: str) -> Answer:
        try:
            await ada.get(text or "x")
        except InvalidRequest as refused:
            return refused.status, b""
        except AutoworkerError as refused:
            return getattr(refused, "status", 404), b""
        return 200, b""

    async def searched(text: str) -> Answer:
        try:
            _ = [found async for found in ada.list(name=text, tag=text)]
        except InvalidRequest as refused:
            return refused.status, b""
        return 200, b""

    for work, good in ((asked, {400, 404, 414}), (searched, {200, 400, 422})):
        answers = await for_each(strings, work)
        assert {answer[0] for _, answer in answers} <= good
