"""Rehearsing workflows: the real core, virtual time, and a world that the test plays.

`autoworker test` uses it for files of cases; tests in Python can use it as it is.
"""

from autoworker.testing.cases import Case, Cases, CasesUnreadable, Expectation
from autoworker.testing.mocked_world import MockedWorld, Unmocked
from autoworker.testing.mocks import Answer, Error, Mock
from autoworker.testing.observed import Fact, Observed
from autoworker.testing.rehearsal import NeverEnds, Rehearsal
from autoworker.testing.running import Result, Suite, WorkflowInvalid, load, run_case
from autoworker.testing.steps import Step, When
from autoworker.testing.verdicts import verdict

__all__ = [
    "Answer",
    "Case",
    "Cases",
    "CasesUnreadable",
    "Error",
    "Expectation",
    "Fact",
    "Mock",
    "MockedWorld",
    "NeverEnds",
    "Observed",
    "Rehearsal",
    "Result",
    "Step",
    "Suite",
    "Unmocked",
    "When",
    "WorkflowInvalid",
    "load",
    "run_case",
    "verdict",
]
