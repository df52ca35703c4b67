"""The checker is no rubber stamp: histories that were broken on purpose do not pass."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from msgspec.structs import replace

from tests.simulation.checker import findings
from tests.simulation.evidence import Answered, Committed, Evidence, Knew, Performed
from tests.simulation.finding import silence
from tests.simulation.memory_store import MemoryTables
from tests.simulation.run import simulate
from workflow_service.application.ports import Commit
from workflow_service.domain.execution.events import TaskCompleted, TaskCreated
from workflow_service.domain.execution.workflow_events import WorkflowCompleted, WorkflowSuspended

Break = Callable[[Evidence, int], None]


def commits(evidence: Evidence, wanted: Callable[[Commit], bool]) -> list[int]:
    """Positions of the commits that are *wanted*."""
    return [
        position
        for position, entry in enumerate(evidence.entries)
        if isinstance(entry, Committed) and wanted(entry.commit)
    ]


def rebuilt(evidence: Evidence) -> None:
    """Let the store say what the evidence now says."""
    tables = MemoryTables()
    for entry in evidence.entries:
        if isinstance(entry, Committed):
            row = tables.rows.get(entry.commit.execution)
            at = replace(entry.commit, expected=row.sequence if row else 0, epoch=99)
            if row is not None:
                row.epoch = 99
            tables.append(at, entry.node)
    evidence.rows = tables.rows


def change(evidence: Evidence, position: int, **changes: object) -> None:
    """Change one commit."""
    entry = evidence.entries[position]
    assert isinstance(entry, Committed)
    commit = replace(entry.commit, **changes)
    fields = (entry.epoch_before, entry.sequence_before)
    evidence.entries[position] = Committed(entry.time, entry.node, entry.wall, commit, *fields)


def commit_at(evidence: Evidence, position: int) -> Commit:
    """Return one commit."""
    entry = evidence.entries[position]
    assert isinstance(entry, Committed)
    return entry.commit


def lose_a_commit(evidence: Evidence, position: int) -> None:
    del evidence.entries[position]


def lose_an_event(evidence: Evidence, position: int) -> None:
    change(evidence, position, events=commit_at(evidence, position).events[:-1])


def end_twice(evidence: Evidence, position: int) -> None:
    events = commit_at(evidence, position).events
    change(evidence, position, events=(*events, events[-1]))


def create_twice(evidence: Evidence, position: int) -> None:
    first, *rest = commit_at(evidence, position).events
    again = [event for event in rest if isinstance(event, TaskCreated)][:1]
    change(evidence, position, events=(first, *rest, *again))


def go_on_after_suspension(evidence: Evidence, position: int) -> None:
    events = commit_at(evidence, position).events
    change(evidence, position, events=(WorkflowSuspended(), *events))


def append_with_an_old_epoch(evidence: Evidence, position: int) -> None:
    entry = evidence.entries[position]
    assert isinstance(entry, Committed)
    fields = (entry.commit.epoch + 1, entry.sequence_before)
    evidence.entries[position] = Committed(
        entry.time, entry.node, entry.wall, entry.commit, *fields
    )


def change_an_output(evidence: Evidence, position: int) -> None:
    *events, last = commit_at(evidence, position).events
    assert isinstance(last, WorkflowCompleted)
    change(evidence, position, events=(*events, WorkflowCompleted("another")))


def fail_an_outcome(evidence: Evidence, position: int) -> None:
    evidence.outcomes.clear()


def forget_the_wake_up(evidence: Evidence, position: int) -> None:
    change(evidence, position, wake_at=None, busy=False)


def ends(commit: Commit) -> bool:
    return isinstance(commit.events[-1], WorkflowCompleted)


def goes_on(commit: Commit) -> bool:
    return commit.expected > 0 and isinstance(commit.events[0], TaskCompleted)


def begins(commit: Commit) -> bool:
    return commit.expected == 0 and not ends(commit) and commit.busy


BREAKS: tuple[tuple[Break, Callable[[Commit], bool]], ...] = (
    (lose_a_commit, goes_on),
    (lose_an_event, begins),
    (end_twice, ends),
    (create_twice, begins),
    (go_on_after_suspension, goes_on),
    (append_with_an_old_epoch, goes_on),
    (change_an_output, ends),
    (fail_an_outcome, goes_on),
    (forget_the_wake_up, begins),
)


@pytest.mark.parametrize(("breaks", "wanted"), BREAKS, ids=lambda each: each.__name__)
@pytest.mark.parametrize("rebuild", [True, False], ids=["stored so", "stored rightly"])
def test_a_broken_history_is_found(
    breaks: Break, wanted: Callable[[Commit], bool], rebuild: bool
) -> None:
    silence()
    for seed in range(30):
        evidence = simulate(seed)
        positions = commits(evidence, wanted)
        if not positions:
            continue
        assert not findings(evidence)
        breaks(evidence, positions[0])
        if rebuild:
            rebuilt(evidence)
        assert findings(evidence)
        return
    raise AssertionError("no run has such a commit")


def good() -> Evidence:
    """A run with effects, in which nothing is wrong."""
    silence()
    runs = (simulate(seed) for seed in range(30))
    return next(e for e in runs if any(isinstance(entry, Performed) for entry in e.entries))


def test_an_effect_before_its_commit_is_found() -> None:
    evidence = good()
    first = next(i for i, entry in enumerate(evidence.entries) if isinstance(entry, Performed))
    evidence.entries.insert(0, evidence.entries.pop(first))
    assert any("before it knew" in finding for finding in findings(evidence))


def test_an_effect_that_is_performed_again_after_its_outcome_is_found() -> None:
    evidence = good()
    performed = next(entry for entry in evidence.entries if isinstance(entry, Performed))
    time = evidence.entries[-1].time
    here = len(evidence.entries)
    evidence.entries += [Knew(time, performed.node, performed.execution, here), performed]
    assert any("after its outcome" in finding for finding in findings(evidence))


def test_an_acknowledged_start_that_is_not_there_is_found() -> None:
    evidence = good()
    evidence.entries.append(Answered(9.0, "start", "e-999", "mark-999", "ok", calm=False))
    assert any("is lost" in finding for finding in findings(evidence))


def test_an_acknowledged_command_that_did_not_happen_is_found() -> None:
    evidence = good()
    execution = next(iter(evidence.rows))
    evidence.entries.append(Answered(9.0, "suspend", execution, "mark-999", "ok", calm=False))
    assert any("happened 0 times" in finding for finding in findings(evidence))


def test_an_execution_that_never_ends_is_found() -> None:
    evidence = good()
    row = next(iter(evidence.rows.values()))
    row.summary = replace(row.summary, ended_at=None, status="running")
    assert any("is stuck" in finding for finding in findings(evidence))


def test_a_timer_that_fires_early_is_found() -> None:
    silence()
    for seed in range(60):
        evidence = simulate(seed)
        found = [
            i
            for i, entry in enumerate(evidence.entries)
            if isinstance(entry, Committed) and entry.commit.wake_at is not None
        ]
        if found and not findings(evidence):
            for i, entry in enumerate(evidence.entries):
                if isinstance(entry, Committed):
                    back = entry.commit.at - timedelta(seconds=entry.commit.expected * 10)
                    change(evidence, i, at=back)
            if any("early" in finding for finding in findings(evidence)):
                return
    raise AssertionError("no timer was found to be early")
