"""Runs commands of authors where they reach nothing: see docs/security.md, "Running code"."""

from workflow_service.adapters.sandbox.cages import Bubblewrap, Cage, Unprotected
from workflow_service.adapters.sandbox.children import Child, started
from workflow_service.adapters.sandbox.command import (
    FILES,
    WORK,
    Command,
    CommandInvalid,
    CommandTimedOut,
    OutputTooLong,
    SandboxBroken,
    SandboxError,
    SandboxLimits,
    SandboxUnusable,
)
from workflow_service.adapters.sandbox.interpreters import Interpreter, javascript, python
from workflow_service.adapters.sandbox.opening import open_sandbox
from workflow_service.adapters.sandbox.running import Finished, run

__all__ = [
    "FILES",
    "WORK",
    "Bubblewrap",
    "Cage",
    "Child",
    "Command",
    "CommandInvalid",
    "CommandTimedOut",
    "Finished",
    "Interpreter",
    "OutputTooLong",
    "SandboxBroken",
    "SandboxError",
    "SandboxLimits",
    "SandboxUnusable",
    "Unprotected",
    "javascript",
    "open_sandbox",
    "python",
    "run",
    "started",
]
