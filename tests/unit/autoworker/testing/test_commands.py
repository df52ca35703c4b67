"""`autoworker test` and `autoworker validate`, as people and CI servers use them."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as Xml

import msgspec
import pytest
from typer.testing import CliRunner, Result

from autoworker.cli.app import app

EXAMPLES = Path(__file__).parents[4] / "examples"
WORKFLOW = """
document: {dsl: '1.0.3', namespace: test, name: small, version: '1.0.0'}
do:
  - ask: {call: http, with: {method: get, endpoint: 'http://shop.example/stock'}}
  - rare: {if: '${ .rare }', set: {rare: true}}
"""
CASES = """
mocks: [{task: ask, answer: {body: {left: 3}}}]
cases:
  - {name: it is told what is left, expect: {output: {left: 3}}}
"""


def autoworker(*arguments: str | Path, stdin: str = "") -> Result:
    """Run the command line in this process."""
    return CliRunner().invoke(app, [str(each) for each in arguments], input=stdin)


@pytest.fixture
def workflow(tmp_path: Path) -> Path:
    """A workflow with cases beside it."""
    (tmp_path / "small.yaml").write_text(WORKFLOW)
    (tmp_path / "small.test.yaml").write_text(CASES)
    return tmp_path / "small.yaml"


def test_the_cases_of_the_example_pass_and_reach_every_task() -> None:
    ended = autoworker("test", EXAMPLES / "order.yaml", "--min-coverage", "100")

    assert ended.exit_code == 0, ended.output
    assert "5 passed; 11 of 11 tasks reached" in ended.output


def test_the_example_in_the_documentation_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    page = (EXAMPLES.parent / "docs" / "testing.md").read_text(encoding="utf-8")
    code = page.split("```python\n")[1].split("```")[0]
    monkeypatch.chdir(EXAMPLES.parent)

    exec(compile(code, "testing.md", "exec"), {})  # noqa: S102 - our own page


def test_cases_are_found_beside_their_workflow_and_tasks_that_none_reached_are_told(
    workflow: Path,
) -> None:
    ended = autoworker("test", workflow)

    assert ended.exit_code == 0, ended.output
    assert "✓ it is told what is left" in ended.output
    assert "Tasks that no case reached" in ended.output
    assert "/do/1/rare" in ended.output
    assert "/do/0/ask" not in ended.output
    assert "1 passed; 1 of 2 tasks reached" in ended.output


def test_coverage_shows_every_task(workflow: Path) -> None:
    assert "/do/0/ask" in autoworker("test", workflow, "--coverage").output


@pytest.mark.parametrize(("percent", "code"), [("50", 0), ("51", 1)])
def test_too_little_coverage_fails(workflow: Path, percent: str, code: int) -> None:
    assert autoworker("test", workflow, "--min-coverage", percent).exit_code == code


def test_a_failure_tells_the_difference_and_what_happened(workflow: Path) -> None:
    cases = workflow.with_name("small.test.yaml")
    cases.write_text(CASES.replace("{left: 3}}}", "{left: 4}}}", 1))

    ended = autoworker("test", cases)

    assert ended.exit_code == 1
    assert "✗ it is told what is left" in ended.output
    assert "output.left: expected 3, got 4" in ended.output
    assert "skipped" in ended.output


def test_results_are_written_for_ci_servers(workflow: Path, tmp_path: Path) -> None:
    cases = workflow.with_name("small.test.yaml")
    cases.write_text(CASES + "  - {name: it fails, expect: {output: 1}}\n")

    ended = autoworker("test", cases, "--junit", tmp_path / "results.xml")
    suite = Xml.parse(tmp_path / "results.xml").getroot()[0]  # noqa: S314 - our own

    assert ended.exit_code == 1
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    assert [case.get("name") for case in suite] == ["it is told what is left", "it fails"]
    assert [len(case) for case in suite] == [0, 1]


def test_one_case_can_be_run_alone(workflow: Path) -> None:
    cases = workflow.with_name("small.test.yaml")
    cases.write_text(CASES + "  - {name: it fails, expect: {output: 1}}\n")

    assert autoworker("test", cases, "-k", "is told").exit_code == 0
    assert autoworker("test", cases, "-k", "it fails").exit_code == 1
    assert autoworker("test", cases, "-k", "nobody").exit_code == 2


@pytest.mark.parametrize(
    ("cases", "says"),
    [
        ("cases: [{name: a, expekt: {}}]", "$.cases[0]"),
        ("cases: [{name: a, mocks: [{task: x}]}]", "an answer or a list of answers"),
        ("cases: [{name: a, mocks: [{answer: {output: 1}}]}]", "what it is for"),
        ("cases: [{name: a, mocks: [{task: x, answer: {}}]}]", "exactly one"),
        ("cases: [{name: a, steps: [{}]}]", "exactly one thing"),
        ("cases: [{name: a, expect: {duration: soon}}]", "$.cases[0].expect"),
        ("cases: [", "line"),
        ("workflow: nowhere.yaml\ncases: []", "nowhere.yaml"),
    ],
)
def test_a_file_of_cases_with_a_mistake_is_told_with_its_place(
    workflow: Path, cases: str, says: str
) -> None:
    workflow.with_name("small.test.yaml").write_text(cases)

    ended = autoworker("test", workflow)

    assert ended.exit_code == 2
    assert says in ended.output
    assert "Traceback" not in ended.output


def test_a_workflow_that_would_be_refused_is_not_tested(workflow: Path) -> None:
    workflow.write_text(WORKFLOW.replace("set: {rare: true}", "set: {rare: true}, then: nowhere"))

    ended = autoworker("test", workflow)

    assert ended.exit_code == 2
    assert "/do/1/rare/then" in ended.output


def test_problems_of_a_workflow_come_with_their_lines(workflow: Path) -> None:
    workflow.write_text(WORKFLOW.replace("set: {rare: true}", "set: {rare: true}, then: nowhere"))

    ended = autoworker("validate", workflow)

    assert ended.exit_code == 1
    assert f"{workflow}:5  /do/1/rare/then" in ended.output


def test_problems_can_be_told_as_json_and_the_workflow_come_from_stdin(workflow: Path) -> None:
    wrong = WORKFLOW.replace("call: http", "call: htttp")

    refused = autoworker("validate", "-", "--json", stdin=wrong)
    accepted = autoworker("validate", workflow, "--json")

    assert (refused.exit_code, accepted.exit_code) == (1, 0)
    (told,) = msgspec.json.decode(refused.output)
    assert (told["file"], told["valid"]) == ("stdin", False)
    assert (told["problems"][0]["pointer"], told["problems"][0]["line"]) == ("/do/0/ask/call", 4)
    assert msgspec.json.decode(accepted.output) == [
        {"file": str(workflow), "valid": True, "problems": []}
    ]


def test_files_of_cases_are_checked_as_such(workflow: Path) -> None:
    cases = workflow.with_name("small.test.yaml")

    accepted = autoworker("validate", workflow, cases)
    cases.write_text("cases: [{name: a, expekt: {}}]")
    refused = autoworker("validate", workflow, cases)

    assert (accepted.exit_code, refused.exit_code) == (0, 1)
    assert "expekt" in refused.output


REFERRING = """
document: {dsl: '1.0.3', namespace: test, name: small, version: '1.0.0'}
use: {catalogs: {global: {endpoint: 'https://catalog.example/c'}}}
input: {schema: {resource: {endpoint: 'https://docs.example/s.json'}}}
do: [{greet: {call: 'greet:1.0.0@global', with: {name: Ada}}}]
"""


def test_what_a_publication_would_fetch_is_given_with_the_cases(workflow: Path) -> None:
    workflow.write_text(REFERRING)
    workflow.with_name("greet.yaml").write_text("set: {hello: '${ .name }'}")
    cases = workflow.with_name("small.test.yaml")
    expected = "cases: [{name: it, expect: {output: {hello: Ada}}}]"

    cases.write_text(expected)
    lacking = autoworker("test", cases)
    cases.write_text(
        "fetched: {/input/schema/resource: {type: object}, '/use/catalogs/global/greet:1.0.0': greet.yaml}\n"
        + expected
    )
    given = autoworker("test", cases)

    assert lacking.exit_code == 2
    assert "fetched: {/input/schema/resource" in lacking.output
    assert given.exit_code == 0, given.output
