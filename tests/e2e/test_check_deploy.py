"""Asking before a new version goes out, over HTTP and by the command line."""

import json
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from autoworker import InvalidRequest
from tests.support.gateway_client import PASSWORD, Person, in_phase
from tests.support.suite import Suite, command_line

RESTING = """
document: {dsl: 1.0.3, namespace: tests, name: resting, version: 1.0.0}
do:
  - rest: {wait: {hours: 1}}
  - finish: {set: {finished: true}}
"""
NEXT = RESTING.replace("1.0.0", "1.1.0")


async def test_a_new_version_is_told_whom_it_concerns(ada: Person) -> None:
    definition = await ada.publish(RESTING)
    execution = await ada.start(definition.reference)
    await in_phase(ada, execution.id, "waiting")

    moved = await ada.check_deploy(NEXT.replace("- rest", "- prepare: {set: {x: 1}}\n  - rest"))

    assert (moved.published, moved.newest, moved.becomes_newest) == ("no", "1.0.0", True)
    assert moved.concern == "breaking"
    (old,) = moved.versions
    assert (old.version, old.open, old.statuses) == ("1.0.0", 1, {"waiting": 1})
    (task,) = old.tasks
    assert (task.task, task.first) == ("/do/0/rest", [execution.id])
    assert task.difference is not None
    assert (task.difference.kind, task.difference.place) == ("moved", "/do/1/rest")
    assert (await ada.check_deploy(NEXT)).concern == "open"
    assert (await ada.check_deploy(json.loads(json.dumps({
        "document": {"dsl": "1.0.3", "namespace": "tests", "name": "new", "version": "1.0.0"},
        "do": [{"a": {"set": {"x": 1}}}],
    })))).concern == "none"  # fmt: skip
    await ada.cancel(execution.id)


async def test_a_wrong_document_is_told_as_at_registration(ada: Person) -> None:
    with pytest.raises(InvalidRequest) as refused:
        await ada.check_deploy(NEXT.replace("wait:", "weight:"))

    assert refused.value.details[0].field.startswith("/do/0/rest")


async def test_the_command_line_ends_as_ci_needs_it(
    suite: Suite, ada: Person, tmp_path: Path
) -> None:
    who = {"AUTOWORKER_EMAIL": ada.email, "AUTOWORKER_PASSWORD": PASSWORD}
    settings = {**who, "AUTOWORKER_URL": suite.url}

    def checked(*options: str) -> CompletedProcess[str]:
        return command_line(tmp_path, "check-deploy", str(file), *options, settings=settings)

    definition = await ada.publish(RESTING)
    file = tmp_path / "resting.yaml"
    file.write_text(NEXT)
    at_rest = checked()
    assert (at_rest.returncode, at_rest.stderr) == (0, "")
    assert "in place of 1.0.0" in at_rest.stdout
    execution = await ada.start(definition.reference)
    await in_phase(ada, execution.id, "waiting")

    concerned = checked()
    lenient = checked("--fail-on", "differing", "--json")
    file.write_text("do: []")
    wrong = checked()

    assert concerned.returncode == 1
    assert "1 open (1 waiting)" in concerned.stdout
    assert "/do/0/rest" in concerned.stdout
    assert (lenient.returncode, json.loads(lenient.stdout)["concern"]) == (0, "open")
    assert wrong.returncode == 2
    await ada.cancel(execution.id)
