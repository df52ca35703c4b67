"""Benchmarks must not rot: each runs, with sizes too small to say anything."""

from pathlib import Path

import pytest

from benchmarks import cluster
from benchmarks.__main__ import ROWS
from benchmarks.sizes import TINY
from tests.support.servers import amqp_url, mongo_url, redis_url


@pytest.mark.parametrize("row", ROWS)
async def test_a_benchmark_still_measures_something(
    row: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    report = await ROWS[row](TINY)

    assert report.figures
    assert all(figure.value >= 0 or figure.unit == "MiB" for figure in report.figures)


LONG = ("replicas", "takeover")
"""Two processes under load take a minute each to start; tests/cluster shows that they work."""


@pytest.mark.parametrize("row", [row for row in cluster.ROWS if row not in LONG])
async def test_a_benchmark_of_real_servers_still_measures_something(
    row: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AUTOWORKER_BENCH_AMQP_URL", amqp_url())
    monkeypatch.setenv("AUTOWORKER_BENCH_MONGO_URL", mongo_url())
    monkeypatch.setenv("AUTOWORKER_BENCH_REDIS_URL", redis_url())

    report = await cluster.ROWS[row](TINY)

    assert all(figure.value > 0 for figure in report.figures)
