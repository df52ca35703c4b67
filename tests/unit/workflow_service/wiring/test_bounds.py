"""Every bound has a setting, and what it refuses names both."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

import workflow_service
from chassis.config import Environment, SettingsInvalid
from chassis.errors import FieldProblem, Invalid
from tests.support.executions import beginning, following
from workflow_service.adapters.metrics import observe_commit
from workflow_service.application.reached import counting_refusals, reached
from workflow_service.config import Settings
from workflow_service.domain.bounds import beyond, limits_in
from workflow_service.domain.definition.limits import DefinitionLimits
from workflow_service.domain.execution.events import TaskFaulted
from workflow_service.domain.execution.limits import Limits
from workflow_service.domain.execution.problem import runtime
from workflow_service.domain.execution.workflow_events import WorkflowFaulted

DOCUMENT = Path(__file__).parents[4] / "docs" / "limits.md"
SOURCES = Path(workflow_service.__file__).parent


def counted(limit: str) -> float:
    return REGISTRY.get_sample_value("workflow_limits_reached_total", {"limit": limit}) or 0.0


def test_without_settings_the_bounds_are_those_of_the_core() -> None:
    bounds = Settings.from_environment(Environment({})).bounds

    assert bounds.execution == Limits()
    assert bounds.definition == DefinitionLimits()
    assert bounds.engine.open_executions == 100_000


def test_each_bound_can_be_set_and_a_wrong_one_is_told_by_name() -> None:
    bounds = Settings.from_environment(
        Environment({"AUTOWORKER_LIMIT_LOOP_ITEMS": "7", "AUTOWORKER_LIMIT_DEFINITION_TASKS": "8"})
    ).bounds
    assert (bounds.execution.loop_items, bounds.definition.tasks) == (7, 8)

    with pytest.raises(SettingsInvalid) as refused:
        Settings.from_environment(
            Environment(
                {"AUTOWORKER_LIMIT_LOOP_ITEMS": "0", "AUTOWORKER_LIMIT_EXPRESSION_SECONDS": "x"}
            )
        )
    assert len(refused.value.problems) == 2
    assert "AUTOWORKER_LIMIT_LOOP_ITEMS" in str(refused.value)


def test_an_error_at_a_limit_names_the_limit_and_its_setting() -> None:
    told = beyond("too many", "loop_items")

    assert told == "too many (limit loop_items, setting AUTOWORKER_LIMIT_LOOP_ITEMS)"
    assert list(limits_in([told + ", in: .x", told])) == ["loop_items"]
    assert list(limits_in(["(limit nothing)"])) == []


def test_a_refusal_is_counted_once_for_each_limit_that_it_names() -> None:
    before = counted("definition_tasks")
    problem = FieldProblem("/do", beyond("has 3 tasks", "definition_tasks"))

    with pytest.raises(Invalid), counting_refusals():
        raise Invalid("no", details=[problem, problem])

    assert counted("definition_tasks") == before + 1


def test_a_limit_inside_an_execution_is_counted_where_it_was_reached_and_not_again_outside() -> (
    None
):
    before = counted("output_bytes")
    error = runtime(beyond("too large", "output_bytes")).at("/do/0/a")
    commit = following(
        beginning("e1"),
        TaskFaulted("/do/0/a", "", error=error),
        TaskFaulted("/do/0", "", error=error),
        WorkflowFaulted(error),
    )

    observe_commit(commit)

    assert counted("output_bytes") == before + 1


def test_names_made_up_by_users_cannot_fill_the_memory() -> None:
    for number in range(200):
        reached("made_up_" + "x" * (number % 100))

    names = [
        s
        for m in REGISTRY.collect()
        for s in m.samples
        if s.name.startswith("workflow_limits_reached_total")
    ]
    assert len(names) <= 64


def test_every_limit_that_the_code_names_has_a_setting_and_a_row_in_the_documentation() -> None:
    code = "\n".join(path.read_text() for path in SOURCES.rglob("*.py"))
    named = set(re.findall(r'beyond\(\s*[^()]*(?:\([^()]*\)[^()]*)*,\s*"([a-z_]+)"', code))
    named |= set(re.findall(r'reached\(\s*"([a-z_]+)"', code))
    table = DOCUMENT.read_text()
    config = "\n".join(path.read_text() for path in (SOURCES / "config").glob("*.py"))

    assert len(named) >= 15
    for limit in named:
        assert f"`{limit}`" in table, limit
        assert f'"{limit}"' in config or f"AUTOWORKER_LIMIT_{limit.upper()}" in config, limit


def test_tenants_may_have_weights() -> None:
    weights = Environment({"AUTOWORKER_TENANT_WEIGHTS": "a=3, b = 1"})
    assert Settings.from_environment(weights).bounds.engine.tenant_weights == {"a": 3, "b": 1}

    for wrong in ("a", "a=0", "a=x", "=3", "a=1001", "a=-1"):
        with pytest.raises(SettingsInvalid, match="AUTOWORKER_TENANT_WEIGHTS"):
            Settings.from_environment(Environment({"AUTOWORKER_TENANT_WEIGHTS": wrong}))
