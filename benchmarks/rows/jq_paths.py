"""What expressions cost on each of their ways: read directly, by libjq in here, in a worker."""

import time
from collections.abc import Callable
from functools import partial

import jq
import msgspec

from benchmarks.report import Figure, Report
from benchmarks.sizes import Sizes
from workflow_service.adapters.jq_workers import JqWorkers
from workflow_service.domain.expressions import Expressions, JsonValue

DOCUMENT: dict[str, JsonValue] = {
    "order": {"id": "o-1", "items": [{"price": n, "name": f"item {n}"} for n in range(5)]}
}
PATHS = {
    "a path": ".order.id",
    "arithmetic and text": '"order " + .order.id + "!"',
    "a bounded program": ".order.items | map(.price) | add",
    "what may be costly, in a worker": "[range(0; 10)] | add",
}


async def jq_paths(sizes: Sizes) -> Report:
    """Microseconds of one evaluation on each way."""
    with JqWorkers(workers=1) as workers:
        expressions = Expressions(workers)
        ways = {what: expressions.compile(source, ()) for what, source in PATHS.items()}
        figures = [
            Figure(
                what,
                _micros(partial(expression.evaluate, DOCUMENT, {}), sizes.alone),
                "µs",
                reference=_bare(expression.source, sizes.alone),
            )
            for what, expression in ways.items()
        ]
    return Report("jq", "one expression, beside libjq compiled and kept", tuple(figures))


def _bare(source: str, calls: int) -> float:
    program = jq.compile(source)
    return _micros(
        lambda: program.input_text(msgspec.json.encode(DOCUMENT).decode()).first(), calls
    )


def _micros(once: Callable[[], object], calls: int) -> float:
    once()
    began = time.perf_counter()
    for _ in range(calls):
        once()
    return (time.perf_counter() - began) / calls * 1e6
