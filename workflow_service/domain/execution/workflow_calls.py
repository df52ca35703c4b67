"""The effect of running another workflow."""

from __future__ import annotations

import hashlib
from typing import Final
from uuid import UUID

import msgspec

from workflow_service.domain.execution.origin import ParentTask
from workflow_service.domain.expressions import JsonValue

_VERSION_AND_VARIANT: Final = ~(0xF << 76 | 0b11 << 62), 0x8 << 76 | 0b10 << 62


class WorkflowCall(msgspec.Struct, frozen=True, tag="workflow", omit_defaults=True):
    """Start an execution of another workflow, and wait for its end if it is awaited."""

    execution: str
    """Its id, decided here, so that no repetition can start a second one."""
    namespace: str
    name: str
    input: JsonValue
    tenant: str
    owner: str
    parent: ParentTask
    version: str = ""
    """Empty: the newest at the time of the start."""
    priority: int = 0

    @property
    def wanted(self) -> str:
        """What is run, as people name it."""
        return f"{self.namespace}/{self.name} {self.version}".rstrip()


def made_id(text: str) -> str:
    """Return the id of an execution that is to be the only one for *text*, as UUID version 8 (RFC 9562, 5.8)."""
    digest = int.from_bytes(hashlib.sha256(text.encode()).digest()[:16])
    keep, mark = _VERSION_AND_VARIANT
    return str(UUID(int=digest & keep | mark))
