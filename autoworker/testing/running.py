"""Running the cases of a file, and what they reached."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from autoworker.testing.cases import Case, Cases, CasesUnreadable, read_as
from autoworker.testing.mocked_world import MockedWorld, Unmocked
from autoworker.testing.mocks import Mock
from autoworker.testing.observed import Observed
from autoworker.testing.purse import Purse
from autoworker.testing.rehearsal import NeverEnds, Rehearsal
from autoworker.testing.showing import observed
from autoworker.testing.steps import Played
from autoworker.testing.verdicts import verdict
from chassis.errors import FieldProblem, ServiceError
from workflow_service.domain.definition.documents import parse_document
from workflow_service.domain.definition.limits import DEFAULT_LIMITS
from workflow_service.domain.definition.model import CompensateTask, Definition
from workflow_service.domain.definition.parsing import parse_definition
from workflow_service.domain.definition.pinned import Pinned
from workflow_service.domain.definition.validation import read_document
from workflow_service.domain.execution.errors import CommandRefused
from workflow_service.domain.expressions import Expressions, JsonValue

SUFFIX: Final = ".test"
_ENDINGS: Final = (".yaml", ".yml", ".json")


class WorkflowInvalid(Exception):
    """The workflow under test would not be accepted; *problems* tell why."""

    def __init__(self, path: Path, problems: Sequence[FieldProblem]) -> None:
        super().__init__(f"{path} is no workflow that can be run")
        self.path = path
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Suite:
    """A file of cases with the workflow that they are about."""

    path: Path
    workflow: Path
    definition: Definition
    cases: Sequence[Case]


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one case."""

    case: Case
    differences: Sequence[str]
    """What is not as expected; nothing when it passed."""
    observed: Observed
    unused: Sequence[Mock]
    """Mocks of its own that nothing called."""

    @property
    def passed(self) -> bool:
        """Whether everything was as expected."""
        return not self.differences


@dataclass(frozen=True, slots=True)
class Reached:
    """How often the cases reached a task."""

    task: str
    started: int
    skipped: int
    faulted: int


def cases_beside(path: Path) -> Path:
    """The file of cases for *path*, which may be one itself: `order.test.yaml` for `order.yaml`."""
    if path.stem.endswith(SUFFIX):
        return path
    return path.with_name(f"{path.stem}{SUFFIX}{path.suffix}")


def load(path: Path) -> Suite:
    """Read a file of cases and its workflow.

    Raises:
        OSError: one of them cannot be read.
        CasesUnreadable: the cases have a mistake; the message tells where.
        WorkflowInvalid: the workflow would not be accepted.
    """
    cases = read_as(path.read_bytes(), Cases, str(path))
    workflow = path.parent / cases.workflow if cases.workflow else _beside(path)
    try:
        document = _document(workflow)
        fetched = _fetched(document, cases, path)
        # What others serve is only known where they serve it.
        definition = parse_definition(document, Expressions(), served=None, pinned=fetched)
    except ServiceError as exc:
        raise WorkflowInvalid(workflow, exc.details or [FieldProblem("", exc.message)]) from exc
    return Suite(path, workflow, definition, cases.whole())


def run_case(definition: Definition, case: Case) -> Result:
    """Run one case in virtual time."""
    purse = Purse(case.secrets)
    world = MockedWorld(case.mocks, purse)
    rehearsal = Rehearsal(
        definition,
        world,
        plays=[Played(step) for step in case.steps],
        lent=purse.lent(definition.secrets),
    )
    stopped: list[str] = []
    try:
        rehearsal.run(case.input)
    except (Unmocked, NeverEnds, CommandRefused) as exc:
        stopped.append(str(exc))
    found = observed(rehearsal, world.calls)
    return Result(case, stopped or verdict(case.expect, found), found, world.unused)


def reached(definition: Definition, results: Sequence[Result]) -> list[Reached]:
    """How often each task of the workflow was reached, in the order of the document."""
    facts = Counter(
        (fact.kind, fact.task) for result in results for fact in result.observed.facts if fact.task
    )
    return [
        Reached(task, facts["started", task], facts["skipped", task], facts["faulted", task])
        for task, read in definition.tasks.items()
        if not isinstance(read, CompensateTask)
    ]


def _document(path: Path) -> JsonValue:
    kind = "application/json" if path.suffix == ".json" else "application/yaml"
    return parse_document(path.read_bytes(), kind)


def _fetched(document: JsonValue, cases: Cases, path: Path) -> Pinned:
    """What the workflow refers to, as its publication would fetch it: what was fetched may ask for more."""
    found: dict[str, JsonValue] = {}
    while True:
        reading = read_document(document, Expressions(), DEFAULT_LIMITS, served=None, pinned=found)
        lacking = [each for each in reading.builder.wanted if each not in found]
        if not lacking:
            return found
        for pointer in lacking:
            if pointer not in cases.fetched:
                what = reading.builder.wanted[pointer].what
                raise CasesUnreadable(
                    f"{path}: {what} is fetched when the workflow is published: say what it is, as fetched: {{{pointer}: …}}"
                )
            content = cases.fetched[pointer]
            found[pointer] = (
                _document(path.parent / content) if isinstance(content, str) else content
            )


def _beside(path: Path) -> Path:
    stem = path.stem.removesuffix(SUFFIX)
    found = (path.with_name(stem + ending) for ending in (path.suffix, *_ENDINGS))
    workflow = next((each for each in found if each.is_file()), None)
    if workflow is None or not path.stem.endswith(SUFFIX):
        raise CasesUnreadable(
            f"{path}: which workflow is meant? Name it (workflow: order.yaml), or call the file order{SUFFIX}.yaml"
        )
    return workflow
