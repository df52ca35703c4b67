"""The standard's own schema and examples, and strings that break careless programs."""

import json
import re
import tarfile
from contextlib import suppress
from importlib.resources import files
from pathlib import Path

import jsonschema_rs
import pytest

from chassis.errors import Malformed, PayloadTooLarge
from tests.unit.workflow_service.definition.support import EXPRESSIONS, HEAD, SHARED, problems, read
from workflow_service.domain.definition.documents import canonical, parse_document
from workflow_service.domain.definition.parsing import parse_definition
from workflow_service.domain.definition.validation import check_document
from workflow_service.domain.expressions import JsonValue

EXAMPLES = sorted((SHARED / "spec/open-workflow/examples").glob("*.yaml"))
REFERENCE = SHARED / "spec/open-workflow/dsl-reference.md"
JSON_TESTS = SHARED / "vectors/JSONTestSuite.tar.gz"
NAUGHTY = SHARED / "vectors/blns.json"

LATER: dict[str, list[str]] = {}
"""Where the examples use what is not built yet."""


def whole_schema() -> jsonschema_rs.Validator:
    text = files("workflow_service.domain.definition").joinpath("schema.yaml").read_bytes()
    schema = parse_document(text, "application/yaml")
    assert isinstance(schema, dict)
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True, offline=True)


@pytest.mark.skipif(not EXAMPLES, reason="the examples of the standard are not on this machine")
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_of_the_standard_is_accepted_or_refused_for_what_comes_later(
    path: Path,
) -> None:
    document = parse_document(path.read_bytes(), "application/yaml")
    assert whole_schema().is_valid(document)
    found = check_document(document, EXPRESSIONS)
    assert [problem.field for problem in found] == LATER.get(path.stem, [])
    assert all(problem.message.endswith("is not supported yet") for problem in found)
    if not found:
        assert parse_definition(document, EXPRESSIONS).tasks


@pytest.mark.skipif(not REFERENCE.exists(), reason="the reference is not on this machine")
def test_every_document_in_the_reference_is_refused_for_nothing_but_what_comes_later() -> None:
    written = re.findall(r"```yaml\n(document:.*?)```", REFERENCE.read_text("utf-8"), re.DOTALL)
    assert len(written) > 30
    found = [problem for text in written for problem in check_document(read(text), EXPRESSIONS)]
    assert [each for each in found if not each.message.endswith("is not supported yet")] == []


@pytest.mark.parametrize(
    "task",
    [
        "{set: {a: 1}}", "{set: {}}", "{set: a, if: 3}", "{wait: PT1S, foo: 1}", "{wait: {days: 1}}", "{wait: x}",
        "{try: [{a: {set: {}}}], catch: {}}", "{try: [{a: {set: {b: 1}}}], catch: {}}", "{do: [{a: {x: 1}}]}",
        "{for: {in: .a}, do: [{b: {call: http}}]}", "{for: {in: [1]}, while: .x, do: []}", "{do: [], for: 3}",
        "{fork: {branches: [{a: {wait: PT1S}}]}}", "{fork: {branches: [{a: {}}]}}", "{switch: [{a: {then: x}}]}",
        "{switch: [{a: {when: 3, then: x}}]}", "{raise: {error: {type: '${ .a }', status: 400}}}", "{call: f, with: 3}",
        "{raise: {error: {type: 'https://a.b', status: x}}}", "{emit: {event: {with: {type: a, time: now}}}}",
        "{emit: {event: {with: {type: a, time: '2026-01-15T10:30:00Z'}}}}", "{set: {a: 1}, wait: PT1S}", "{}",
        "{call: http, with: {method: get, endpoint: x}}", "{call: http, with: {method: get, endpoint: {uri: x}}}",
        "{call: http, with: {method: get, endpoint: x, query: 3}}", "{call: grpc, with: {}}", "{call: mcp, with: {}}",
        "{listen: {to: {one: {with: {type: a}}}}, foreach: {do: [{a: {wait: PT1S}}]}}", "{run: {shell: {command: a}}}",
        "{listen: {to: {one: {with: {type: a}}}}, foreach: {do: [{a: {wait: x}}]}}", "{run: {shell: {}}}",
    ],
)  # fmt: skip
def test_checking_task_by_task_finds_the_same_documents_malformed_as_the_whole_schema(
    task: str,
) -> None:
    document = read(f"{HEAD}\ndo: [{{outer: {{do: [{{t: {task}}}]}}}}]")
    found = check_document(document, EXPRESSIONS)
    meaning = {
        "/then",
        "/call",
        "/run/shell",
        "/with/endpoint",
        "/with/endpoint/uri",
        "/switch/0/a/then",
    }
    malformed = {
        problem.field for problem in found
        if problem.field.removeprefix("/do/0/outer/do/0/t") not in meaning
    }  # fmt: skip
    assert bool(malformed) is not whole_schema().is_valid(document)


@pytest.mark.skipif(not NAUGHTY.exists(), reason="the naughty strings are not on this machine")
def test_naughty_strings_are_data_wherever_they_stand() -> None:
    for text in json.loads(NAUGHTY.read_text("utf-8")):
        document: JsonValue = {
            "document": {
                "dsl": "1.0.3",
                "namespace": "a",
                "name": "b",
                "version": "1.0.0",
                "title": text,
            },
            "do": [{text[:200]: {"set": {text or "x": text, "y": [text]}}}],
        }
        again = parse_document(canonical(document), "application/json")
        assert again == document
        for problem in check_document(document, EXPRESSIONS):
            assert "${" in text, (text, problem)
        broken: JsonValue = {
            "document": {"dsl": text, "namespace": text, "name": text, "version": text},
            "use": {"errors": {text: text}, "functions": {text: {text: text}}},
            "do": [{text: {"call": text, "with": {text: text}, "then": text, "if": text, "timeout": text}},
                   {text: {"for": {"each": text, "in": text}, "do": [{text: text}]}},
                   {text: {"wait": text, text: text, "input": {"schema": {"document": {"pattern": text}}}}}],
            text: text,
        }  # fmt: skip
        assert check_document(broken, EXPRESSIONS)


@pytest.mark.skipif(not NAUGHTY.exists(), reason="the naughty strings are not on this machine")
def test_naughty_strings_as_yaml_are_read_or_refused() -> None:
    for text in json.loads(NAUGHTY.read_text("utf-8")):
        body = "".join(f"- {line}\n" for line in text.splitlines())
        with suppress(Malformed, PayloadTooLarge):
            assert canonical(read(body or "- "))


@pytest.mark.skipif(not JSON_TESTS.exists(), reason="JSONTestSuite is not on this machine")
def test_json_is_accepted_and_refused_as_the_test_suite_of_the_format_says() -> None:
    wrong: list[str] = []
    with tarfile.open(JSON_TESTS) as archive:
        for member in archive.getmembers():
            name = Path(member.name).name
            content = archive.extractfile(member)
            if "test_parsing" not in member.name or not name.endswith(".json") or content is None:
                continue
            try:
                parse_document(content.read(), "application/json")
            except (Malformed, PayloadTooLarge):
                accepted = False
            else:
                accepted = True
            if (name[0] == "y" and not accepted) or (name[0] == "n" and accepted):
                wrong.append(name)
    # Allowed by the format; refused here, since the two halves of the world would read it differently.
    assert sorted(wrong) == [
        "y_object_duplicated_key.json",
        "y_object_duplicated_key_and_value.json",
    ]


def test_a_thousand_tasks_are_fine_and_one_more_is_not() -> None:
    tasks = ", ".join(f"{{t{n}: {{wait: PT1S}}}}" for n in range(1000))
    assert problems(f"do: [{tasks}]") == {}
    assert problems(f"do: [{tasks}, {{x: {{wait: PT1S}}}}]") == {
        "": "has 1001 tasks; a definition may have at most 1000"
        " (limit definition_tasks, setting AUTOWORKER_LIMIT_DEFINITION_TASKS)"
    }
