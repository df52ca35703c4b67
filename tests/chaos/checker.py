"""Finds what must not be in what clients, histories, inboxes and a foreign ledger say of the same run.

It knows nothing of how the suite works inside: only what it promises. `test_checker.py` breaks good
histories in every way that has a name here.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from autoworker.model import JsonValue
from tests.chaos.ledger import Served

WORKFLOW: Final = "io.serverlessworkflow.workflow."
TASK: Final = "io.serverlessworkflow.task."
OWN: Final = "io.autoworker.workflow."
ACCEPTED: Final = OWN + "execution-accepted.v1"
RECOVERED: Final = OWN + "execution-recovered.v1"
ENDS: Final = {
    WORKFLOW + "completed.v1": "completed",
    WORKFLOW + "faulted.v1": "faulted",
    WORKFLOW + "cancelled.v1": "cancelled",
}


@dataclass(frozen=True, slots=True)
class Fact:
    """One event of a history."""

    sequence: int
    type: str
    data: Mapping[str, JsonValue] = field(default_factory=dict)

    def text(self, member: str) -> str:
        """A member that is a text; empty if there is none."""
        value = self.data.get(member)
        return value if isinstance(value, str) else ""


@dataclass(frozen=True, slots=True)
class Trace:
    """What the API says of one execution."""

    status: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """All that is known after the end."""

    accepted: Mapping[str, Sequence[str]]
    """For each key of a start, the execution of each answer that came."""
    traces: Mapping[str, Trace]
    ledger: Sequence[Served]
    notified: Mapping[str, int] | None = None
    """Notifications for each execution; None when nobody looked."""


@dataclass(frozen=True, slots=True)
class Anomaly:
    """One broken promise."""

    kind: str
    where: str
    detail: str = ""


def anomalies(run: Run) -> list[Anomaly]:
    """Every promise that *run* breaks."""
    found = [*_starts(run), *_ledger(run), *_notifications(run)]
    for execution, trace in run.traces.items():
        found += [Anomaly(kind, execution, detail) for kind, detail in _history(trace)]
    return found


def _starts(run: Run) -> Iterator[Anomaly]:
    """A start that was answered is there; one key is one execution, and the other way round."""
    keys: dict[str, set[str]] = defaultdict(set)
    for key, answers in run.accepted.items():
        if len(set(answers)) > 1:
            yield Anomaly("doubled start", key, " ".join(sorted(set(answers))))
        for execution in set(answers):
            keys[execution].add(key)
            if execution not in run.traces:
                yield Anomaly("lost", execution, key)
    for execution, sharing in keys.items():
        if len(sharing) > 1:
            yield Anomaly("shared start", execution, " ".join(sorted(sharing)))
    for execution in run.traces.keys() - keys.keys():
        yield Anomaly("unasked start", execution)


def _history(trace: Trace) -> Iterator[tuple[str, str]]:
    facts = trace.facts
    if not facts or facts[0].type != ACCEPTED:
        yield "no beginning", facts[0].type if facts else ""
    if [fact.sequence for fact in facts] != list(range(1, len(facts) + 1)):
        yield "gap", " ".join(str(fact.sequence) for fact in facts)
    ends = [place for place, fact in enumerate(facts) if fact.type in ENDS]
    if not ends:
        yield "no end", trace.status
        return
    if len(ends) > 1:
        yield "doubled end", " ".join(facts[place].type for place in ends)
    if ends[0] != len(facts) - 1:
        yield "event after the end", facts[ends[0] + 1].type
    if ENDS[facts[ends[-1]].type] != trace.status:
        yield "summary disagrees", f"{trace.status}, but {facts[ends[-1]].type}"
    yield from _keys(facts)


def _keys(facts: Sequence[Fact]) -> Iterator[tuple[str, str]]:
    """A frame (a task, in one iteration) asks with one key, however often; two frames never share one."""
    keys: dict[str, set[str]] = defaultdict(set)
    frames: dict[str, set[str]] = defaultdict(set)
    for fact in facts:
        if key := fact.text("effect"):
            frame = fact.text("frame") or fact.text("task")
            keys[frame].add(key)
            frames[key].add(frame)
    for frame, used in keys.items():
        if len(used) > 1:
            yield "changed key", f"{frame}: {' '.join(sorted(used))}"
    for key, users in frames.items():
        if len(users) > 1:
            yield "shared key", f"{key}: {' '.join(sorted(users))}"


def _ledger(run: Run) -> Iterator[Anomaly]:
    """What was done is what was asked for, under one key each, and repeated only with a reason."""
    yield from _keys_of_effects(run.ledger)
    times = Counter(line.key for line in run.ledger)
    asked: Counter[str] = Counter()
    for execution, trace in run.traces.items():
        asked += _asked(trace)
        for key in _answered(trace) - times.keys():
            yield Anomaly("answer without effect", execution, key)
    for line in set(run.ledger):
        if line.key not in asked:
            yield Anomaly("effect without ask", line.execution, f"{line.effect}: {line.key}")
    for key, count in times.items():
        if key in asked and count > asked[key]:
            yield Anomaly("repeated without reason", key, f"{count} times, asked {asked[key]}")


def _keys_of_effects(ledger: Sequence[Served]) -> Iterator[Anomaly]:
    keys: dict[tuple[str, str], set[str]] = defaultdict(set)
    effects: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for line in ledger:
        keys[line.execution, line.effect].add(line.key)
        effects[line.key].add((line.execution, line.effect))
    for (execution, effect), used in keys.items():
        if len(used) > 1:
            yield Anomaly("two keys for one effect", execution, f"{effect}: {sorted(used)}")
    for key, done in effects.items():
        if len(done) > 1:
            yield Anomaly("one key for two effects", key, str(sorted(done)))


def _asked(trace: Trace) -> Counter[str]:
    """How often each key may have been used: at its asks, and where a recovery says it repeats."""
    asked: Counter[str] = Counter()
    current: dict[str, str] = {}
    for fact in trace.facts:
        if key := fact.text("effect"):
            asked[key] += 1
            current[fact.text("frame") or fact.text("task")] = key
        elif fact.type == RECOVERED:
            repeats = fact.data.get("repeats")
            for frame in repeats if isinstance(repeats, list) else []:
                asked[current.get(str(frame), "")] += 1
    return asked


def _answered(trace: Trace) -> set[str]:
    """The keys of calls that the history says were answered well."""
    current: dict[str, str] = {}
    answered: set[str] = set()
    for fact in trace.facts:
        frame = fact.text("frame") or fact.text("task")
        if key := fact.text("effect"):
            current[frame] = key
        elif fact.type == TASK + "completed.v1" and frame in current:
            answered.add(current[frame])
    return answered


def _notifications(run: Run) -> Iterator[Anomaly]:
    if run.notified is None:
        return
    for execution in run.traces:
        count = run.notified.get(execution, 0)
        if count != 1:
            yield Anomaly("notified", execution, f"{count} times")
