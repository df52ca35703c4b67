"""Who grows without bound is told from who warms up, takes a larger piece once, or goes up and down."""

import os
from collections.abc import Callable

import pytest

from tests.cluster.stored import Count, Stored
from tests.cluster.vitals import Reading, Run, Vitals, read

MINUTES = 20


def lived(
    resident: Callable[[float], float], files: Callable[[float], int] | None = None
) -> Vitals:
    """A process with so many MiB and files at each minute of its life."""
    readings = [
        Reading(at, resident(at / 60), files(at / 60) if files else 40, 12)
        for at in range(0, MINUTES * 60, 5)
    ]
    return Vitals([Run("workflow-1", 7, readings)])


@pytest.mark.parametrize(
    "resident",
    [
        lambda minute: 130.0,
        lambda minute: 130.0 - 80.0 / (1.0 + 9.0 * minute),
        lambda minute: 130.0 + (20.0 if minute > 12 else 0.0),
        lambda minute: 130.0 + 15.0 * (minute % 3.0),
        lambda minute: 130.0 + 0.2 * minute,
    ],
    ids=["steady", "warming up", "a larger piece once", "up and down", "slowly"],
)
def test_who_does_not_grow_without_bound_is_left_in_peace(
    resident: Callable[[float], float],
) -> None:
    assert lived(resident).growing() == []


def test_memory_that_grows_all_the_time_is_told() -> None:
    found = lived(lambda minute: 130.0 + 2.0 * minute + 15.0 * (minute % 3.0)).growing()

    assert len(found) == 1
    assert found[0].startswith("workflow-1: resident grew by ")


def test_files_that_are_never_closed_are_told() -> None:
    found = lived(lambda minute: 130.0, lambda minute: 40 + int(minute)).growing()

    assert found == ["workflow-1: files grew by 1.00 a minute, all the time"]


def test_a_short_life_is_not_judged() -> None:
    readings = [Reading(at, 100.0 + at, 40, 12) for at in range(0, 240, 5)]

    assert Vitals([Run("workflow-1", 7, readings)]).growing() == []


def test_each_run_of_a_process_is_judged_by_itself() -> None:
    vitals = Vitals()
    for at, pid in ((0.0, os.getpid()), (5.0, os.getpid()), (10.0, os.getppid())):
        vitals.take({"gateway-1": pid}, at)

    assert [len(run.readings) for run in vitals.runs] == [2, 1]
    assert vitals.longest()[0].pid == os.getpid()


def test_a_process_that_is_gone_is_left_out() -> None:
    assert read(2**22 + 1, 0.0) is None


def test_this_process_holds_something() -> None:
    reading = read(os.getpid(), 0.0)

    assert reading is not None
    assert reading.resident > 1.0
    assert reading.files > 2
    assert reading.threads >= 1


def test_what_each_execution_leaves_in_the_store_is_told_after_warming_up() -> None:
    stored = Stored(
        [Count(number, {"workflow.executions": number, "auth.users": 3}) for number in range(5)]
    )

    assert stored.per_execution() == {"workflow.executions": 1.0, "auth.users": 0.0}


@pytest.mark.parametrize(("left", "told"), [(1, True), (0, False)])
def test_what_should_be_taken_away_again_is_told_when_it_stays(left: int, told: bool) -> None:
    stored = Stored(
        [
            Count(number, {"workflow.executions": number, "workflow.audit_outbox": left * number})
            for number in range(0, 1000, 100)
        ]
    )

    assert bool(stored.growing()) is told
