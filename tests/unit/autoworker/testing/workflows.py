"""Small workflows, and cases for them."""

from __future__ import annotations

import msgspec

from autoworker.testing.cases import Case, read_as
from autoworker.testing.running import Result, run_case
from tests.support.workflow_run import definition_of

CALL = "{call: http, with: {method: get, endpoint: 'http://shop.example/stock'}}"


def run(workflow: str, case: str) -> Result:
    """Run one case, written in YAML without its name."""
    read = read_as(f"name: it\n{case}".encode(), Case, "the case")
    return run_case(definition_of(workflow), read)


def differences(workflow: str, case: str) -> list[str]:
    """What is not as the case expects."""
    return list(run(workflow, case).differences)


def plain(value: object) -> object:
    """*value* as JSON has it."""
    return msgspec.to_builtins(value)
