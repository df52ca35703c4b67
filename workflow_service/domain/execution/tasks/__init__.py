"""The kinds of task, one module and one row each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from workflow_service.domain.definition.model import (
    CallFunctionTask,
    CallHttpTask,
    CallServedTask,
    Definition,
    DoTask,
    EmitTask,
    ForkTask,
    ForTask,
    RaiseTask,
    SetTask,
    SwitchTask,
    TryTask,
    WaitTask,
)
from workflow_service.domain.execution.tasks.call import CallFunction, CallHttp, CallServed
from workflow_service.domain.execution.tasks.do_ import Do
from workflow_service.domain.execution.tasks.emit import Emit
from workflow_service.domain.execution.tasks.for_ import For
from workflow_service.domain.execution.tasks.fork import Fork
from workflow_service.domain.execution.tasks.raise_ import Raise
from workflow_service.domain.execution.tasks.set_ import Set
from workflow_service.domain.execution.tasks.switch import Switch
from workflow_service.domain.execution.tasks.try_ import TRY
from workflow_service.domain.execution.tasks.wait import Wait
from workflow_service.domain.execution.tasks.workflow import WORKFLOW

if TYPE_CHECKING:
    from workflow_service.domain.execution.advance import Kind

KINDS: Mapping[type, Kind[Any]] = {
    CallFunctionTask: CallFunction(),
    CallHttpTask: CallHttp(),
    CallServedTask: CallServed(),
    Definition: WORKFLOW,
    DoTask: Do(),
    EmitTask: Emit(),
    ForTask: For(),
    ForkTask: Fork(),
    RaiseTask: Raise(),
    SetTask: Set(),
    SwitchTask: Switch(),
    TryTask: TRY,
    WaitTask: Wait(),
}
"""How each kind of task behaves, and the workflow around them."""
