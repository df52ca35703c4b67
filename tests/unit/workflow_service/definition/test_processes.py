"""What is read of `run` with a shell line, a script or a container."""

from __future__ import annotations

import pytest

from tests.unit.workflow_service.definition.support import EXPRESSIONS, HEAD, read, task
from workflow_service.domain.definition.processes import (
    ProcessKind,
    RunContainerTask,
    RunScriptTask,
    RunShellTask,
)
from workflow_service.domain.definition.validation import check_document
from workflow_service.domain.expressions import Template

SHELL = "{run: {shell: {command: ls}}}"
SCRIPT = "{run: {script: {language: python, code: pass}}}"
CONTAINER = "{run: {container: {image: alpine}}}"


def problems(body: str, *enabled: ProcessKind) -> dict[str, str]:
    found = check_document(
        read(f"{HEAD}do: [{{t: {body}}}]"), EXPRESSIONS, processes=frozenset(enabled)
    )
    return {problem.field: problem.message for problem in found}


@pytest.mark.parametrize(
    ("body", "kind"), [(SHELL, "shell"), (SCRIPT, "script"), (CONTAINER, "container")]
)
def test_each_kind_is_off_until_the_operator_turns_it_on(body: str, kind: ProcessKind) -> None:
    others: list[ProcessKind] = [each for each in ("shell", "script", "container") if each != kind]

    assert problems(body, kind) == {}
    refused = problems(body, *others)
    assert list(refused) == [f"/do/0/t/run/{kind}"]
    assert refused[f"/do/0/t/run/{kind}"].startswith("feature_disabled: ")
    assert refused[f"/do/0/t/run/{kind}"].endswith(f"AUTOWORKER_RUN={kind}")


def test_they_are_found_within_functions_and_other_tasks() -> None:
    document = f"{HEAD}use: {{functions: {{f: {SHELL}}}}}\ndo: [{{t: {{fork: {{branches: [{{b: {SHELL}}}]}}}}}}]"

    found = check_document(read(document), EXPRESSIONS, processes=frozenset())

    assert [each.field for each in found] == [
        "/do/0/t/fork/branches/0/b/run/shell",
        "/use/functions/f/run/shell",
    ]


@pytest.mark.parametrize(
    ("command", "parts"),
    [
        ("ls -l", ("ls -l",)),
        ("echo ${HOME} ${1:-none} ${#x} ${@} ${$}", ("echo ${HOME} ${1:-none} ${#x} ${@} ${$}",)),
        ('echo "Hello, ${ .user.name }"', ('echo "Hello, ', None, '"')),
        ("${ .line }", (None,)),
        ("a ${.x} ${HOME} ${$input.y} b", ("a ", None, " ${HOME} ", None, " b")),
        ("echo ${ .never closed", ("echo ${ .never closed",)),
    ],
)
def test_a_line_keeps_what_is_the_shells_own(command: str, parts: tuple[str | None, ...]) -> None:
    read_task = task(f"{{run: {{shell: {{command: {command!r}}}}}}}")

    assert isinstance(read_task, RunShellTask)
    shown = tuple(None if isinstance(part, Template) else part for part in read_task.command)
    assert shown == parts


def test_code_is_never_an_expression() -> None:
    read_task = task("{run: {script: {language: js, code: 'console.log(`${1 + 1}`)'}}}")

    assert isinstance(read_task, RunScriptTask)
    assert read_task.code == "console.log(`${1 + 1}`)"


def test_a_script_has_one_of_two_languages() -> None:
    assert problems("{run: {script: {language: ruby, code: puts}}}", "script") == {
        "/do/0/t/run/script/language": "'ruby' is not a language that scripts can have: js or python"
    }


def test_a_container_lives_as_its_lifetime_says() -> None:
    read_task = task(
        "{run: {container: {image: alpine, lifetime: {cleanup: eventually, after: {minutes: 5}}}}}"
    )

    assert isinstance(read_task, RunContainerTask)
    assert read_task.cleanup == "eventually"
    assert read_task.cleanup_after is not None
    assert "after" in str(
        problems("{run: {container: {image: a, lifetime: {cleanup: eventually}}}}", "container")
    )
