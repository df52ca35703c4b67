"""Real servers that stand in for the outside world when a scenario runs through the whole suite.

One for each kind of call, registered in `KINDS`. In the core no stand-in is needed: there mocks answer any kind.
"""

from tests.conformance.stand_ins.functions import FunctionStandIn
from tests.conformance.stand_ins.http import HttpStandIn
from tests.conformance.stand_ins.port import StandIn
from tests.conformance.stand_ins.workflows import WorkflowStandIn

KINDS: tuple[type[StandIn], ...] = (HttpStandIn, FunctionStandIn, WorkflowStandIn)
"""Whoever adds a kind of call adds the server that answers it."""

__all__ = ["KINDS", "FunctionStandIn", "HttpStandIn", "StandIn", "WorkflowStandIn"]
