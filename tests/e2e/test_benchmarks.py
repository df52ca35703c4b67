"""Benchmarks must not rot: each runs, with sizes too small to say anything."""

from pathlib import Path

import pytest

from benchmarks.__main__ import ROWS
from benchmarks.sizes import TINY


@pytest.mark.parametrize("row", ROWS)
async def test_a_benchmark_still_measures_something(
    row: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    report = await ROWS[row](TINY)

    assert report.figures
    assert all(figure.value >= 0 or figure.unit == "MiB" for figure in report.figures)
