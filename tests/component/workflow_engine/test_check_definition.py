"""Before a new version is published: whom it concerns."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from chassis.errors import Invalid
from tests.support.engine_world import ADA, Bench, cancelled, started, suspended
from tests.support.time import eventually
from workflow_service.adapters.sqlite.definitions import SqliteDefinitions
from workflow_service.adapters.sqlite.deployments import SqliteOpenOfDefinitions
from workflow_service.application.caller import Caller
from workflow_service.application.compiled_definitions import CompiledDefinitions
from workflow_service.application.queries.check_definition import (
    CheckDefinition,
    CheckDefinitionHandler,
    DeploymentCheck,
)
from workflow_service.application.queries.validate_definition import ValidateDefinitionHandler
from workflow_service.domain.expressions import Expressions

TASKS = """
do:
- first: {call: http, with: {method: get, endpoint: 'http://example.com/'}}
- rest: {wait: {days: 1}}
- last: {set: {done: true}}
"""
OLD = f"document: {{dsl: 1.0.3, namespace: test, name: spec, version: 1.0.0}}{TASKS}"
NEW = OLD.replace("1.0.0}", "1.1.0}")
EVERYBODY = Caller("root", "default", reads_all=True)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with Bench.open() as opened:
        await opened.publish(OLD)
        yield opened


async def check(bench: Bench, text: str, caller: Caller = ADA) -> DeploymentCheck:
    expressions = Expressions()
    definitions = SqliteDefinitions(bench.database)
    handler = CheckDefinitionHandler(
        ValidateDefinitionHandler(expressions),
        definitions,
        CompiledDefinitions(expressions),
        SqliteOpenOfDefinitions(bench.database),
        bench.reader,
    )
    return await handler(CheckDefinition(caller, text.encode(), "application/yaml"))


async def test_with_nothing_open_nobody_is_concerned(bench: Bench) -> None:
    found = await check(bench, NEW.replace("done", "over"))

    assert (found.published, found.newest, found.becomes_newest) == ("no", "1.0.0", True)
    assert found.concern == "none"
    (old,) = found.versions
    assert [each.place for each in old.differences] == ["/do/2/last"]


async def test_open_executions_are_told_by_status_and_by_the_task_they_stand_at(
    bench: Bench,
) -> None:
    async with bench.process() as process:
        ids = [(await process.start(started())).execution for _ in range(3)]
        await bench.world.asks(3)
        await bench.world.answer("ok")
        await eventually(lambda: process.store.commits == 4)
        await process.suspend(suspended(ids[2]))

    found = await check(bench, NEW)

    (old,) = found.versions
    assert (old.open, old.examined, found.concern) == (3, 3, "open")
    assert sum(old.statuses.values()) == 3
    assert old.statuses["suspended"] == 1
    at = {task.task: task.executions for task in old.tasks}
    assert at == {"/do/0/first": 2, "/do/1/rest": 1}


@pytest.mark.parametrize(
    ("change", "concern"),
    [
        (("done", "over"), "open"),
        (("method: get", "method: post"), "differing"),
        (("- first:", "- before: {set: {x: 1}}\n- first:"), "breaking"),
        (("- first:", "- renamed:"), "breaking"),
        (
            ("call: http, with: {method: get, endpoint: 'http://example.com/'}", "set: {x: 1}"),
            "breaking",
        ),
    ],
)
async def test_the_concern_is_that_of_the_tasks_where_executions_stand(
    bench: Bench, change: tuple[str, str], concern: str
) -> None:
    async with bench.process() as process:
        execution = (await process.start(started())).execution
        await bench.world.asks(1)

        found = await check(bench, NEW.replace(*change))
        assert found.concern == concern
        (task,) = found.versions[0].tasks
        assert task.first == (execution,)

        await process.cancel(cancelled(execution))
        assert (await check(bench, NEW.replace(*change))).concern == "none"


async def test_executions_of_others_are_told_to_those_who_may_see_them_only(bench: Bench) -> None:
    async with bench.process() as process:
        await process.start(started())

    assert (await check(bench, NEW, Caller("eve", "default"))).concern == "none"
    assert (await check(bench, NEW, EVERYBODY)).concern == "open"
    elsewhere = await check(bench, NEW, Caller("root", "other", reads_all=True))
    assert (elsewhere.newest, elsewhere.versions) == ("", ())


async def test_the_same_version_with_other_content_is_told(bench: Bench) -> None:
    assert (await check(bench, OLD)).published == "same"
    assert (await check(bench, OLD)).versions == ()
    assert (await check(bench, OLD.replace("done", "over"))).published == "other"


async def test_an_older_version_does_not_become_the_newest(bench: Bench) -> None:
    found = await check(bench, OLD.replace("1.0.0}", "0.9.0}"))

    assert (found.newest, found.becomes_newest) == ("1.0.0", False)


async def test_the_schedule_of_the_newest_version_is_what_counts(bench: Bench) -> None:
    daily = "schedule: {every: {days: 1}}\n"

    assert (await check(bench, NEW)).schedule == "none"
    assert (await check(bench, NEW + daily)).schedule == "begins"
    assert (await check(bench, OLD.replace("1.0.0}", "0.9.0}") + daily)).schedule == "none"
    await bench.publish(NEW + daily)
    assert (await check(bench, NEW.replace("1.1.0}", "1.2.0}"))).schedule == "ends"
    assert (await check(bench, OLD.replace("1.0.0}", "0.9.0}"))).schedule == "kept"


async def test_what_has_not_begun_stands_nowhere(bench: Bench) -> None:
    async with bench.process() as process:
        later = bench.clock.now().replace(year=2030)
        await process.start(started(run_at=later))

    found = await check(bench, NEW.replace("- first:", "- renamed:"))

    assert [task.task for task in found.versions[0].tasks] == [""]
    assert found.concern == "open"


async def test_a_document_that_is_wrong_is_refused(bench: Bench) -> None:
    with pytest.raises(Invalid):
        await check(bench, NEW.replace("wait", "weight"))
