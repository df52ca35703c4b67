"""Every failure has the one shape, and every answer its headers."""

import asyncio
import json
import re
import tarfile
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from chassis.caching.port import LimitPolicy
from tests.component.gateway.world import World, a_world
from tests.support.time import eventually

VECTORS = Path(__file__).parents[4] / "shared" / "vectors"
START = {"workflow": {"namespace": "n", "name": "w"}}
JSON = {"Content-Type": "application/json"}


async def test_unknown_addresses_are_404(world: World) -> None:
    for path in ("/v1/nothing", "/nothing", "/v1", "/v1/", "/v1/workflows/", "/v1/executions//x"):
        answer = await world.ask("GET", path)
        assert answer.status in {404, 400}, path
        assert answer.error["code"] in {"NOT_FOUND", "VALIDATION_ERROR"}


async def test_a_wrong_method_is_405_and_told_the_right_ones(world: World) -> None:
    wrong = await world.ask("DELETE", "/v1/executions")

    assert (wrong.status, wrong.error["code"]) == (405, "METHOD_NOT_ALLOWED")
    assert wrong.headers["Allow"] == "GET, HEAD, POST"


async def test_method_overrides_are_ignored(world: World) -> None:
    answer = await world.ask("GET", "/v1/executions", headers={"X-HTTP-Method-Override": "DELETE"})

    assert answer.status == 200


async def test_head_is_get_without_a_body(world: World) -> None:
    answer = await world.ask("HEAD", "/v1/executions")

    assert (answer.status, answer.body) == (200, b"")


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"",
        b"nonsense",
        b'{"workflow":{"namespace":"n","name":"w"},"input":NaN}',
        b'{"workflow":{"namespace":"n","name":"w"},"input":-Infinity}',
        b'{"workflow":{"namespace":"n","name":"w"},"input":1e999}',
        b'{"workflow":{"namespace":"n","name":"w"},"workflow":{"namespace":"n","name":"w"}}',
        b'{"workflow":{"namespace":"n","name":"w"},"input":{"a":1,"a":2}}',
        b'{"workflow":{"namespace":"n","name":"w"},"input":"\\ud800"}',
        b'{"workflow":{"namespace":"n","name":"w"},"input":"\xed\xa0\x80"}',
        b'{"workflow":{"namespace":"n","name":"w"},"input":' + b"[" * 65 + b"]" * 65 + b"}",
        b"[" * 500_000,
        b'\xef\xbb\xbf{"workflow":{"namespace":"n","name":"w"}}',
        '{"workflow":{"namespace":"n","name":"w"}}'.encode("utf-16"),
    ],
)
async def test_what_is_not_strict_json_is_400(world: World, body: bytes) -> None:
    refused = await world.ask("POST", "/v1/executions", data=body, headers=JSON)

    assert (refused.status, refused.error["code"]) == (400, "VALIDATION_ERROR")
    assert not world.workflows.behaviour.named("StartExecution")


@pytest.mark.parametrize(
    "media_type", ["", "text/plain", "multipart/form-data; boundary=x", "application/jsonx",
                   "application/json; charset=latin-1", "application/x-www-form-urlencoded"],
)  # fmt: skip
async def test_other_media_types_are_415(world: World, media_type: str) -> None:
    body = json.dumps(START).encode()

    refused = await world.ask(
        "POST", "/v1/executions", data=body, headers={"Content-Type": media_type}
    )

    assert (refused.status, refused.error["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")


async def test_compressed_bodies_are_not_unpacked(world: World) -> None:
    refused = await world.ask(
        "POST", "/v1/executions", data=b"\x1f\x8b", headers=JSON | {"Content-Encoding": "gzip"}
    )

    assert refused.status == 415


async def test_a_body_of_a_mebibyte_is_the_most(world: World) -> None:
    frame = b'{"workflow":{"namespace":"n","name":"w"},"input":""}'
    most = frame[:-2] + b"x" * (1024 * 1024 - len(frame)) + frame[-2:]

    fits = await world.ask("POST", "/v1/executions", data=most, headers=JSON)
    over = await world.ask("POST", "/v1/executions", data=most + b" ", headers=JSON)

    assert fits.status == 202
    assert (over.status, over.error["code"]) == (413, "PAYLOAD_TOO_LARGE")


async def test_a_chunked_body_has_the_same_limit(world: World) -> None:
    async def chunks() -> Any:
        for _ in range(20):
            yield b"x" * 65536

    async with world.http.post(
        world.url + "/v1/executions", data=chunks(), headers=world.bearer() | JSON
    ) as response:
        assert response.status == 413
        assert (await response.json())["error"]["code"] == "PAYLOAD_TOO_LARGE"


async def test_rfc_9457_on_request(world: World) -> None:
    problem = await world.ask(
        "GET", "/v1/executions?limit=0", headers={"Accept": "application/problem+json"}
    )

    assert problem.headers["Content-Type"] == "application/problem+json"
    assert problem.json["status"] == problem.status == 422
    assert problem.json["title"] == "Invalid input data"
    assert problem.json["instance"] == "/v1/executions"
    assert problem.json["code"] == "VALIDATION_ERROR"
    assert problem.json["details"][0]["field"] == "limit"
    assert problem.json["request_id"] == problem.headers["X-Request-Id"]


async def test_times_of_errors_are_rfc_3339_in_utc(world: World) -> None:
    error = (await world.ask("GET", "/v1/nothing")).error

    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", error["timestamp"])


async def test_a_good_request_id_is_taken_over_and_others_are_not(world: World) -> None:
    kept = await world.ask("GET", "/healthz", headers={"X-Request-Id": "my.id_1-x"})
    spaces = await world.ask("GET", "/healthz", headers={"X-Request-Id": "a b"})
    long = await world.ask("GET", "/healthz", headers={"X-Request-Id": "a" * 129})

    assert kept.headers["X-Request-Id"] == "my.id_1-x"
    assert spaces.headers["X-Request-Id"] not in {"a b", ""}
    assert len(long.headers["X-Request-Id"]) == 36


@pytest.mark.parametrize("path", ["/healthz", "/v1/nothing", "/v1/executions", "/docs"])
async def test_every_answer_has_the_security_headers(world: World, path: str) -> None:
    headers = (await world.ask("GET", path)).headers

    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["Server"] == "autoworker"
    assert headers.getall("Cache-Control") == ["no-cache" if path == "/docs" else "no-store"]
    assert "Access-Control-Allow-Origin" not in headers


@pytest.mark.parametrize(
    ("headers", "path", "status"),
    [
        ({"API-Version": "1"}, "/v1/executions", 200),
        ({"API-Version": "v1"}, "/v1/executions", 200),
        ({"API-Version": "v1"}, "/executions", 200),
        ({}, "/executions", 200),
        ({"API-Version": "2"}, "/v1/executions", 400),
        ({"API-Version": "latest"}, "/v1/executions", 400),
        ({}, "/v2/executions", 400),
        ({}, "/v0/executions", 400),
        ({"API-Version": "v1"}, "/v2/executions", 200),
    ],
)
async def test_versions(world: World, headers: dict[str, str], path: str, status: int) -> None:
    answer = await world.ask("GET", path, headers=headers)

    assert answer.status == status
    if status == 400:
        assert answer.error["code"] == "VALIDATION_ERROR"


async def test_a_client_that_left_cancels_what_only_reads(world: World) -> None:
    gate = world.workflows.behaviour.gates["ListExecutions"] = asyncio.Event()
    asking = asyncio.ensure_future(world.ask("GET", "/v1/executions"))
    await eventually(lambda: bool(world.workflows.behaviour.named("ListExecutions")))

    asking.cancel()

    await eventually(lambda: world.workflows.behaviour.cancelled == ["ListExecutions"])
    assert not gate.is_set()


async def test_a_client_that_left_does_not_stop_a_start(world: World) -> None:
    gate = world.workflows.behaviour.gates["StartExecution"] = asyncio.Event()
    asking = asyncio.ensure_future(world.ask("POST", "/v1/executions", START))
    await eventually(lambda: bool(world.workflows.behaviour.named("StartExecution")))
    asking.cancel()
    await asyncio.sleep(0)

    gate.set()

    await eventually(lambda: world.workflows.behaviour.finished == ["StartExecution"])
    assert not world.workflows.behaviour.cancelled


async def test_trace_and_request_id_reach_the_service(world: World) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"

    answer = await world.ask(
        "GET", "/v1/executions", headers={"traceparent": trace, "X-Request-Id": "r-1"}
    )

    call = world.workflows.behaviour.served
    assert answer.headers["X-Request-Id"] == "r-1"
    assert call is not None
    assert call.request_id == "r-1"
    assert call.traceparent[3:35] == trace[3:35]
    assert call.deadline is not None
    assert call.principal.id == "ada"


async def test_cross_origin_is_off_unless_configured(tmp_path: Path) -> None:
    origin = {"Origin": "https://app.example.com"}
    async with a_world(tmp_path, cors_origins=("https://app.example.com",)) as world:
        allowed = await world.ask("GET", "/v1/executions", headers=origin)
        foreign = await world.ask("GET", "/v1/executions", headers={"Origin": "https://evil.test"})
        preflight = await world.ask(
            "OPTIONS",
            "/v1/executions",
            headers=origin | {"Access-Control-Request-Method": "POST"},
            anonymous=True,
        )

    assert allowed.headers["Access-Control-Allow-Origin"] == "https://app.example.com"
    assert "Access-Control-Allow-Credentials" not in allowed.headers
    assert "Access-Control-Allow-Origin" not in foreign.headers
    assert preflight.status == 204
    assert "Authorization" in preflight.headers["Access-Control-Allow-Headers"]


@pytest.mark.skipif(not (VECTORS / "JSONTestSuite.tar.gz").exists(), reason="no vectors here")
async def test_json_test_suite_through_the_door(world: World) -> None:
    with tarfile.open(VECTORS / "JSONTestSuite.tar.gz") as archive:
        for member in archive.getmembers():
            name = Path(member.name).name
            file = archive.extractfile(member) if name.endswith(".json") else None
            if file is None or "test_parsing" not in member.name:
                continue
            body = b'{"workflow":{"namespace":"n","name":"w"},"input":' + file.read() + b"}"
            answer = await world.ask("POST", "/v1/executions", data=body, headers=JSON)
            if name.startswith("n_"):
                assert answer.status == 400, name
            elif name.startswith("y_") and "duplicated_key" not in name:
                assert answer.status == 202, name
            else:
                assert answer.status in {202, 400}, name


@pytest.mark.skipif(not (VECTORS / "blns.json").exists(), reason="no vectors here")
async def test_naughty_strings_never_make_it_our_fault(tmp_path: Path) -> None:
    rate = LimitPolicy("auth", 100_000, 60.0)
    async with a_world(tmp_path, auth_rate=rate, principal_rate=rate) as world:
        for text in json.loads((VECTORS / "blns.json").read_bytes()):
            account = {"email": text, "password": text, "name": text}
            answers = [
                await world.ask("POST", "/v1/auth/register", account, anonymous=True),
                await world.ask("POST", "/v1/executions/x/cancel", {"reason": text}),
                await world.ask("GET", f"/v1/executions?tag={quote(text)}&name={quote(text)}"),
                await world.ask("GET", f"/v1/executions/{quote(text, safe='')}"),
            ]
            for answer in answers:
                assert answer.status < 500, text
                assert answer.status != 429
