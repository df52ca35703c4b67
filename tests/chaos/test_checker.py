"""The checker is itself checked: it finds nothing in a good run, and each way of breaking one."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from autoworker.model import JsonValue
from tests.chaos.checker import (
    ACCEPTED,
    OWN,
    RECOVERED,
    TASK,
    WORKFLOW,
    Fact,
    Run,
    Trace,
    anomalies,
)
from tests.chaos.ledger import Served

COMPLETED = WORKFLOW + "completed.v1"
PAY: dict[str, JsonValue] = {"task": "/do/0/pay"}
SHIP: dict[str, JsonValue] = {"task": "/do/1/ship"}


def good() -> Run:
    """A call that a crash interrupted, one that was retried, an end."""
    facts: list[tuple[str, dict[str, JsonValue]]] = [
        (ACCEPTED, {}),
        (WORKFLOW + "started.v1", {}),
        (TASK + "started.v1", PAY | {"effect": "e1/pay"}),
        (RECOVERED, {"repeats": ["/do/0/pay"]}),
        (TASK + "completed.v1", PAY),
        (TASK + "started.v1", SHIP | {"effect": "e1/ship"}),
        (TASK + "faulted.v1", SHIP),
        (OWN + "retry-scheduled.v1", {"task": "/do/1"}),
        (TASK + "started.v1", SHIP | {"effect": "e1/ship"}),
        (TASK + "completed.v1", SHIP),
        (COMPLETED, {}),
    ]
    trace = Trace("completed", tuple(Fact(n, *fact) for n, fact in enumerate(facts, 1)))
    ledger = [
        Served("e1/pay", "e1", "pay"),
        Served("e1/pay", "e1", "pay"),
        Served("e1/ship", "e1", "ship"),
        Served("e1/ship", "e1", "ship"),
    ]
    return Run({"k1": ["e1", "e1"]}, {"e1": trace}, ledger, {"e1": 1})


def with_facts(run: Run, *facts: Fact, status: str = "completed") -> Run:
    return replace(run, traces={"e1": Trace(status, facts)})


def facts_of(run: Run) -> list[Fact]:
    return list(run.traces["e1"].facts)


def numbered(facts: list[Fact]) -> list[Fact]:
    return [replace(fact, sequence=n) for n, fact in enumerate(facts, 1)]


def lost(run: Run) -> Run:
    return replace(run, accepted={**run.accepted, "k2": ["e2"]})


def started_twice(run: Run) -> Run:
    return replace(
        run, accepted={"k1": ["e1", "e2"]}, traces={**run.traces, "e2": run.traces["e1"]}
    )


def started_for_two(run: Run) -> Run:
    return replace(run, accepted={**run.accepted, "k2": ["e1"]})


def started_by_nobody(run: Run) -> Run:
    return replace(run, accepted={})


def ended_twice(run: Run) -> Run:
    return with_facts(run, *numbered([*facts_of(run), Fact(0, COMPLETED)]))


def never_ended(run: Run) -> Run:
    return with_facts(run, *facts_of(run)[:-1], status="running")


def with_a_gap(run: Run) -> Run:
    facts = facts_of(run)
    return with_facts(run, *facts[:4], *facts[5:])


def out_of_order(run: Run) -> Run:
    facts = facts_of(run)
    return with_facts(run, *facts[:2], facts[3], facts[2], *facts[4:])


def going_on_after_the_end(run: Run) -> Run:
    return with_facts(run, *numbered([*facts_of(run), Fact(0, TASK + "started.v1", PAY)]))


def without_a_beginning(run: Run) -> Run:
    return with_facts(run, *numbered(facts_of(run)[1:]))


def with_another_status(run: Run) -> Run:
    return with_facts(run, *facts_of(run), status="faulted")


def with_two_keys_for_one_effect(run: Run) -> Run:
    return replace(run, ledger=[*run.ledger, Served("e1/pay-again", "e1", "pay")])


def with_one_key_for_two_effects(run: Run) -> Run:
    return replace(run, ledger=[*run.ledger[:-1], Served("e1/ship", "e1", "pay")])


def with_an_effect_nobody_asked_for(run: Run) -> Run:
    return replace(run, ledger=[*run.ledger, Served("e1/refund", "e1", "refund")])


def with_an_answer_that_never_was(run: Run) -> Run:
    return replace(run, ledger=[line for line in run.ledger if line.effect != "ship"])


def with_one_repetition_too_many(run: Run) -> Run:
    return replace(run, ledger=[*run.ledger, run.ledger[0]])


def with_a_key_that_changes_between_attempts(run: Run) -> Run:
    facts = facts_of(run)
    facts[8] = replace(facts[8], data=SHIP | {"effect": "e1/ship-2"})
    return with_facts(run, *facts)


def with_a_key_that_two_tasks_share(run: Run) -> Run:
    facts = facts_of(run)
    facts[5] = replace(facts[5], data=SHIP | {"effect": "e1/pay"})
    return with_facts(run, *facts)


def without_its_notification(run: Run) -> Run:
    return replace(run, notified={})


def with_two_notifications(run: Run) -> Run:
    return replace(run, notified={"e1": 2})


def test_a_good_run_has_no_anomalies() -> None:
    assert anomalies(good()) == []


@pytest.mark.parametrize(
    ("broken", "kind"),
    [
        (lost, "lost"),
        (started_twice, "doubled start"),
        (started_for_two, "shared start"),
        (started_by_nobody, "unasked start"),
        (ended_twice, "doubled end"),
        (never_ended, "no end"),
        (with_a_gap, "gap"),
        (out_of_order, "gap"),
        (going_on_after_the_end, "event after the end"),
        (without_a_beginning, "no beginning"),
        (with_another_status, "summary disagrees"),
        (with_two_keys_for_one_effect, "two keys for one effect"),
        (with_one_key_for_two_effects, "one key for two effects"),
        (with_an_effect_nobody_asked_for, "effect without ask"),
        (with_an_answer_that_never_was, "answer without effect"),
        (with_one_repetition_too_many, "repeated without reason"),
        (with_a_key_that_changes_between_attempts, "changed key"),
        (with_a_key_that_two_tasks_share, "shared key"),
        (without_its_notification, "notified"),
        (with_two_notifications, "notified"),
    ],
)
def test_each_broken_promise_is_found(broken: Callable[[Run], Run], kind: str) -> None:
    assert kind in {anomaly.kind for anomaly in anomalies(broken(good()))}
