"""Prometheus metrics whose labelled children are kept.

Finding a child through `labels()` costs three times as much as counting with it. A family here keeps
its children in a dictionary by the values of the labels, and asking twice for a family of the same
name gives the same one, so that several services can live in one process.
"""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, Histogram, generate_latest
from prometheus_client.metrics import MetricWrapperBase

CONTENT_TYPE = CONTENT_TYPE_LATEST
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Buckets for what a request takes."""

M = TypeVar("M", bound=MetricWrapperBase)


class Family(Generic[M]):
    """A metric with labels."""

    def __init__(self, metric: M) -> None:
        self._metric = metric
        self._children: dict[tuple[str, ...], M] = {}

    def child(self, *values: str) -> M:
        """The one with these values of the labels, in their order; keep it where it is hot."""
        child = self._children.get(values)
        if child is None:
            child = self._children[values] = self._metric.labels(*values)
        return child


class _Families(Generic[M]):
    """All families of one kind, by name."""

    def __init__(self) -> None:
        self._known: dict[str, Family[M]] = {}

    def get(self, name: str, make: Callable[[], M]) -> Family[M]:
        """The family called *name*; prometheus_client refuses a name that another kind has."""
        if name not in self._known:
            self._known[name] = Family(make())
        return self._known[name]


_counters: _Families[Counter] = _Families()
_gauges: _Families[Gauge] = _Families()
_histograms: _Families[Histogram] = _Families()


def counter(name: str, meaning: str, labels: Sequence[str]) -> Family[Counter]:
    """The family of counters called *name* (`…_total`)."""
    return _counters.get(name, lambda: Counter(name, meaning, labels))


def gauge(name: str, meaning: str, labels: Sequence[str]) -> Family[Gauge]:
    """The family of gauges called *name*."""
    return _gauges.get(name, lambda: Gauge(name, meaning, labels))


def histogram(
    name: str, meaning: str, labels: Sequence[str], buckets: Sequence[float] = SECONDS
) -> Family[Histogram]:
    """The family of histograms called *name* with these upper bounds."""
    return _histograms.get(name, lambda: Histogram(name, meaning, labels, buckets=buckets))


def exposition() -> bytes:
    """Every metric of the process in Prometheus' text format (`CONTENT_TYPE`)."""
    return generate_latest()
