"""The checker of the shared log is itself checked: it finds nothing in a good log, and each way of breaking one."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.cluster.log import Committed, Log, Standing, Tip, Written, log_anomalies
from tests.cluster.takeover import Look, Watch


def good() -> Log:
    """One execution that ended after another process had taken it over, and one that is under way."""
    return Log(
        [
            Written(1, 2, [Tip("e1", 3, 0), Tip("e2", 2, 0)]),
            Written(3, 3, [Tip("e1", 3, 1)]),
            Written(4, 4, [Tip("e1", 5, 1)]),
            Written(5, 6, [Tip("e1", 6, 1, ended=True), Tip("e2", 4, 0)]),
        ],
        [
            Committed(1, "e1", 1, 3),
            Committed(2, "e2", 1, 2),
            Committed(4, "e1", 4, 5),
            Committed(5, "e1", 6, 6),
            Committed(6, "e2", 3, 4),
        ],
        {"e1": Standing("completed", 6, 1), "e2": Standing("running", 4, 0, busy=True)},
    )


def with_document(log: Log, number: int, **changes: object) -> Log:
    written = list(log.written)
    written[number] = replace(written[number], **changes)  # type: ignore[arg-type]
    return replace(log, written=written)


def with_execution(log: Log, execution: str, standing: Standing) -> Log:
    return replace(log, executions={**log.executions, execution: standing})


def without_a_document(log: Log) -> Log:
    return replace(log, written=[*log.written[:1], *log.written[2:]])


def with_a_place_taken_twice(log: Log) -> Log:
    return replace(log, written=[*log.written, replace(log.written[-1], first=6, last=6)])


def written_by_whom_it_was_taken_from(log: Log) -> Log:
    return with_document(log, 2, tips=[Tip("e1", 5, 0)])


def written_on_old_knowledge(log: Log) -> Log:
    return with_document(log, 2, tips=[Tip("e1", 2, 1)])


def written_after_its_end(log: Log) -> Log:
    return replace(log, written=[*log.written, Written(7, 7, [Tip("e1", 7, 1)])])


def taken_over_after_its_end(log: Log) -> Log:
    return replace(log, written=[*log.written, Written(7, 7, [Tip("e1", 6, 2)])])


def without_a_commit(log: Log) -> Log:
    return replace(log, commits=[*log.commits[:2], *log.commits[3:]])


def without_the_last_commit(log: Log) -> Log:
    return replace(log, commits=log.commits[:-1])


def with_events_written_twice(log: Log) -> Log:
    return replace(log, commits=[*log.commits, Committed(7, "e2", 3, 4)])


def with_commits_of_nobody(log: Log) -> Log:
    return replace(log, commits=[*log.commits, Committed(7, "e3", 1, 2)])


def with_an_older_owner_in_the_summary(log: Log) -> Log:
    return with_document(log, 3, tips=[Tip("e1", 6, 1, ended=True), Tip("e2", 4, 1)])


def open_though_the_log_ended_it(log: Log) -> Log:
    return with_execution(log, "e1", Standing("running", 6, 1, busy=True))


def without_an_execution(log: Log) -> Log:
    return replace(log, executions={"e2": log.executions["e2"]})


def busy_after_its_end(log: Log) -> Log:
    return with_execution(log, "e1", Standing("completed", 6, 1, busy=True))


def waking_after_its_end(log: Log) -> Log:
    return with_execution(log, "e1", Standing("completed", 6, 1, wakes=True))


def that_nobody_will_wake(log: Log) -> Log:
    return with_execution(log, "e2", Standing("running", 4, 0))


def test_a_good_log_has_no_anomalies() -> None:
    assert log_anomalies(good()) == []
    assert good().takeovers == 1


@pytest.mark.parametrize(
    ("broken", "kind"),
    [
        (without_a_document, "hole in the log"),
        (with_a_place_taken_twice, "hole in the log"),
        (written_by_whom_it_was_taken_from, "stale owner"),
        (written_on_old_knowledge, "step back"),
        (written_after_its_end, "write after the end"),
        (taken_over_after_its_end, "write after the end"),
        (without_a_commit, "gap"),
        (without_the_last_commit, "sequence"),
        (with_events_written_twice, "gap"),
        (with_commits_of_nobody, "commits of nobody"),
        (with_an_older_owner_in_the_summary, "log disagrees"),
        (open_though_the_log_ended_it, "log disagrees"),
        (without_an_execution, "not derived"),
        (busy_after_its_end, "zombie"),
        (waking_after_its_end, "zombie"),
        (that_nobody_will_wake, "no next wake-up"),
    ],
)
def test_each_contradiction_is_found(broken: Callable[[Log], Log], kind: str) -> None:
    assert kind in {anomaly.kind for anomaly in log_anomalies(broken(good()))}


def look(at: float, *counts: int, **holders: str) -> Look:
    held = {execution: frozenset({node}) for execution, node in holders.items()}
    return Look(at, {f"n{number}": count for number, count in enumerate(counts, 1)}, held)


def test_a_takeover_lasts_from_the_death_until_nothing_is_left_with_the_dead() -> None:
    watch = Watch(
        [
            look(0.0, 5, 5, e1="n1", e2="n2"),
            look(2.0, 6, 6, e1="n1", e2="n2"),
            look(7.0, 6, 11, e1="n1", e2="n2"),
            look(8.0, 6, 12, e1="n2"),
        ]
    )
    assert watch.silent_since(1.0) == {"n1"}
    assert watch.taken_over(1.0) == (1, 7.0)
    assert not watch.left_at(1.0)


def test_what_still_lies_with_the_dead_is_not_taken_over() -> None:
    watch = Watch([look(0.0, 5, e1="n1"), look(2.0, 5, e1="n1"), look(9.0, 5, e1="n1")])
    assert watch.left_at(1.0)


def test_nobody_counts_as_dead_at_once() -> None:
    watch = Watch([look(0.0, 5, e1="n1"), look(1.0, 5, e1="n1")])
    assert watch.silent_since(0.5) == set()
