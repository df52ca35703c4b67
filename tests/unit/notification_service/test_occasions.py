"""The words that people read."""

import json
from dataclasses import replace

import pytest

from notification_service.domain.occasions import (
    EndStatus,
    ExecutionEnded,
    Problem,
    WorkflowName,
    execution_ended,
    welcome,
)
from tests.unit.notification_service.builders import ALICE, NOON, contact

COMPLETED = ExecutionEnded(
    execution_id="x1",
    workflow=WorkflowName("shop", "order", "1.2.0"),
    status="completed",
    owner=ALICE,
    error=None,
    ended_at=NOON,
)
FAULTED = replace(
    COMPLETED,
    status="faulted",
    error=Problem("https://example.org/errors/timeout", 408, "Timeout", "The bank did not answer."),
)


@pytest.mark.parametrize(
    ("status", "title"),
    [
        ("completed", "shop/order 1.2.0 has completed"),
        ("faulted", "shop/order 1.2.0 has faulted"),
        ("cancelled", "shop/order 1.2.0 was cancelled"),
    ],
)
def test_each_end_has_its_own_type_and_title(status: EndStatus, title: str) -> None:
    message = execution_ended(replace(COMPLETED, status=status))

    assert (message.type, message.title) == (f"execution.{status}", title)


def test_programs_find_the_facts_in_the_data() -> None:
    assert json.loads(execution_ended(COMPLETED).data) == {
        "execution_id": "x1",
        "workflow": {"namespace": "shop", "name": "order", "version": "1.2.0"},
        "status": "completed",
    }


def test_a_fault_tells_its_error_to_people_and_to_programs() -> None:
    message = execution_ended(FAULTED)

    assert message.body.endswith("\nTimeout: The bank did not answer.")
    assert json.loads(message.data)["error"]["status"] == 408


def test_an_endless_error_is_cut() -> None:
    huge = Problem("t", 500, "x" * 10_000, "y" * 1_000_000, "/do/0")

    message = execution_ended(replace(FAULTED, error=huge))

    assert len(message.body) <= 1_000
    assert len(message.data) < 3_000


def test_line_breaks_cannot_get_into_a_title() -> None:
    evil = WorkflowName("shop", "order\r\nBcc: all@example.org", "1\u2028\x00\x85")

    title = execution_ended(replace(COMPLETED, workflow=evil)).title

    assert title.isprintable()
    assert len(title.splitlines()) == 1


def test_a_newcomer_is_greeted_by_name() -> None:
    assert welcome(contact()).body.startswith("Welcome, Alice!\n")


def test_a_newcomer_without_a_name_is_greeted_too() -> None:
    assert welcome(replace(contact(), name="")).body.startswith("Welcome!\n")
