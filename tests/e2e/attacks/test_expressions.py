"""Attack 20: expressions that look around, never end, or eat everything."""

import asyncio
import time
from collections.abc import Awaitable, Iterator
from pathlib import Path

import aiohttp
import pytest

from autoworker import Execution, InvalidRequest
from autoworker.errors import ApiError
from autoworker.model import JsonValue
from tests.support.gateway_client import Person, signed_up
from tests.support.suite import Suite, started

CANARY = "canary-4f1c9a77-of-the-environment"
LOOKING = (
    "env", "$ENV", "env.CANARY", "$ENV.CANARY", "env|keys", "$ENV|tojson", '"\\(env)"', "input", "inputs", "[inputs]",
    "debug", "input_filename", "$__prog_args", "get_search_list", 'import "a" as a; a::b', 'include "a"; .',
    'import "/etc/passwd" as $d; $d', 'import "a" as a {search: "/"}; 1', "halt", "halt_error", '"x"|halt_error(3)',
    "stderr", "input_line_number", '"a"|modulemeta', "getpath(env)", "@base32d env", "$ENV.PATH|@sh", "now|env",
)  # fmt: skip
HUNGRY = (
    "[range(1000000000)]", "[range(1e9)] | length", "last(range(1e18))", "reduce range(1e12) as $i (0; .+$i)",
    "def f: f; f", "def f: 1 + f; f", "[limit(1e9; repeat(1))]", "until(false; .)", "[recurse(.+1)]",
    '"a" * 1000000000', '[range(100000)] | map(tostring) | join(",") * 100000', "[.] | until(false; . + .)",
    '("a" * 30 + "!") | test("^(a+)+$")', '("a" * 60) | test("(a|aa)+$b")', '("x" * 100000) | test("(x+x+)+y")',
    "[range(1e7)] | sort | unique | group_by(.) | length", "[range(30)] | combinations(30)", "setpath([1e9]; 1)",
    "[[range(3000)],[range(3000)]] | [combinations] | length", "getpath([range(1e7)])", "input_line_number | while(true; .)",
    "tojson | until(false; tojson)", "1e1000 | until(. < 0; .)", "def a: [.,.]; reduce range(60) as $i (1; a) | tojson",
)  # fmt: skip
END = 10.0
"""Seconds within which an expression must be over: it may take one, and a busy machine more."""
LAG = 0.05
"""Seconds that others may be delayed (99th percentile)."""
ATTEMPTS = 5
"""How often the delay is measured at most: the machine may have had something else to do."""


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    """A suite whose environment has something to steal."""
    with started(
        tmp_path_factory.mktemp("expressions"),
        CANARY=CANARY,
        AUTOWORKER_ADMIN_PASSWORD=f"A9-{CANARY}",
        AUTOWORKER_AUTH_RATE_LIMIT="100000/60",
        AUTOWORKER_RATE_LIMIT="1000000/60",
    ) as running:
        yield running


async def evaluated(person: Person, name: str, expression: str) -> Execution | ApiError:
    """What became of *expression*: refused when it was published, or how the execution ended."""
    document: dict[str, JsonValue] = {
        "document": {"dsl": "1.0.3", "namespace": "attacks", "name": name, "version": "1.0.0"},
        "do": [{"think": {"set": {"found": f"${{ {expression} }}"}}}],
    }
    try:
        definition = await person.publish(document)
    except InvalidRequest as refused:
        return refused
    return await person.start(definition.reference, {"n": 1}, wait=30)


@pytest.mark.parametrize("number", range(len(LOOKING)))
async def test_an_expression_sees_nothing_of_the_process(ada: Person, number: int) -> None:
    result = await evaluated(ada, f"look-{number}", LOOKING[number])

    shown = str(result)
    if isinstance(result, Execution):
        events = [event async for event in ada.history(result.id)]
        shown += str(events) + str(await ada.explain(result.id))
        harmless = result.output in (
            {"found": {}},
            {"found": "{}"},
            {"found": None},
            {"found": []},
            {"found": {"n": 1}},
            {"found": 0},
        )
        assert harmless or (result.error is not None and result.error.type.endswith("/expression"))
    assert CANARY not in shown
    assert "/etc" not in shown.replace(LOOKING[number], "") or "passwd" in LOOKING[number]
    assert "root:x" not in shown


async def test_endless_and_hungry_expressions_fail_by_themselves_and_delay_nobody(
    suite: Suite, ada: Person
) -> None:
    wrong: dict[str, str] = {}

    async def attack() -> None:
        for number, expression in enumerate(HUNGRY):
            complaint = await _complaint(ada, f"hungry-{number}", expression)
            # Once more: the machine may have had something else to do.
            if complaint and await _complaint(ada, f"hungry-{number}", expression):
                wrong[expression] = complaint

    for _ in range(ATTEMPTS):
        calm = await _lag_during(suite.url, asyncio.sleep(1.0))
        busy = await _lag_during(suite.url, attack())
        print(f"\n/healthz p99: calm {calm * 1000:.1f} ms, attacked {busy * 1000:.1f} ms")  # noqa: T201
        if delayed_nobody := busy < max(LAG, 5 * calm):
            break

    assert wrong == {}
    assert delayed_nobody
    async with signed_up(suite.url, "Bob") as bob:
        after = await evaluated(bob, "after", ".n + 1")
    assert isinstance(after, Execution)
    assert after.output == {"found": 2}


async def _complaint(person: Person, name: str, expression: str) -> str:
    """What is wrong with how *expression* ended; nothing if it is refused, fails in time or is harmless."""
    began = time.monotonic()
    result = await evaluated(person, name, expression)
    if isinstance(result, ApiError):
        return "" if time.monotonic() - began < END else "slow to refuse"
    assert result.started_at is not None
    assert result.ended_at is not None
    seconds = (result.ended_at - result.started_at).total_seconds()
    failed = result.error is not None and result.error.type.endswith("/expression")
    harmless = result.status == "completed" and len(str(result.output)) < 10_000
    if not failed and not harmless:
        return f"{result.status} {result.error}"
    return "" if seconds <= END else f"{seconds} s"


async def _lag_during(url: str, work: Awaitable[None]) -> float:
    """The 99th percentile of what /healthz takes while *work* goes on."""
    took: list[float] = []
    busy = asyncio.ensure_future(work)
    async with aiohttp.ClientSession(url) as http:
        while not busy.done():
            began = time.perf_counter()
            async with http.get("/healthz") as answer:
                await answer.read()
                assert answer.status == 200
            took.append(time.perf_counter() - began)
            await asyncio.sleep(0.005)
    await busy
    took.sort()
    return took[int(len(took) * 0.99)]


async def test_secrets_of_the_process_are_in_no_log_and_no_store(suite: Suite) -> None:
    assert CANARY not in suite.logged
    for name in ("workflow", "notification", "auth"):
        assert CANARY.encode() not in _bytes(suite.data / f"{name}.db")
        assert CANARY.encode() not in _bytes(suite.data / f"{name}.db-wal")


def _bytes(file: Path) -> bytes:
    return file.read_bytes() if file.exists() else b""
