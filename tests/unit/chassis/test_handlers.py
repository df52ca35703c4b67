import asyncio

import pytest

from chassis.errors import NotFound
from chassis.handlers import wrap
from chassis.telemetry import metrics


def counted(name: str, outcome: str) -> float:
    return float(metrics.counter("handler_total", "", []).child(name, outcome)._value.get())


async def test_results_pass_unchanged_and_are_counted() -> None:
    async def double(number: int, *, plus: int = 0) -> int:
        return number * 2 + plus

    wrapped = wrap(double, name="double")
    assert await wrapped(4, plus=1) == 9
    assert counted("double", "OK") == 1


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (NotFound("gone"), "NOT_FOUND"),
        (RuntimeError("a bug"), "INTERNAL"),
        (asyncio.CancelledError(), "CANCELLED"),
    ],
)
async def test_failures_pass_unchanged_and_are_counted_by_kind(
    error: BaseException, outcome: str
) -> None:
    async def fail() -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        await wrap(fail, name=f"fail-{outcome}")()
    assert caught.value is error
    assert counted(f"fail-{outcome}", outcome) == 1
