"""The kinds of task, one module and one row each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from workflow_service.domain.definition.model import (
    CallA2aTask,
    CallFunctionTask,
    CallGrpcTask,
    CallHttpTask,
    CallMcpTask,
    CallOpenapiTask,
    CallServedTask,
    CompensateTask,
    Definition,
    DoTask,
    EmitTask,
    ForkTask,
    ForTask,
    ListenTask,
    PublishTask,
    RaiseTask,
    ReceiveTask,
    RunContainerTask,
    RunScriptTask,
    RunShellTask,
    RunWorkflowTask,
    SetTask,
    SubscribeTask,
    SwitchTask,
    TryTask,
    WaitTask,
)
from workflow_service.domain.execution.tasks.asyncapi_call import Publish
from workflow_service.domain.execution.tasks.call import CallFunction, CallHttp, CallServed
from workflow_service.domain.execution.tasks.compensate import COMPENSATE
from workflow_service.domain.execution.tasks.do_ import Do
from workflow_service.domain.execution.tasks.emit import Emit
from workflow_service.domain.execution.tasks.for_ import For
from workflow_service.domain.execution.tasks.fork import Fork
from workflow_service.domain.execution.tasks.listen import LISTEN
from workflow_service.domain.execution.tasks.raise_ import Raise
from workflow_service.domain.execution.tasks.run import RunWorkflow
from workflow_service.domain.execution.tasks.run_process import RunContainer, RunScript, RunShell
from workflow_service.domain.execution.tasks.service_call import (
    CallA2a,
    CallGrpc,
    CallMcp,
    CallOpenapi,
)
from workflow_service.domain.execution.tasks.set_ import Set
from workflow_service.domain.execution.tasks.subscribe import Receive, Subscribe
from workflow_service.domain.execution.tasks.switch import Switch
from workflow_service.domain.execution.tasks.try_ import TRY
from workflow_service.domain.execution.tasks.wait import Wait
from workflow_service.domain.execution.tasks.workflow import WORKFLOW

if TYPE_CHECKING:
    from workflow_service.domain.execution.advance import Kind

KINDS: Mapping[type, Kind[Any]] = {
    CallA2aTask: CallA2a(),
    CallFunctionTask: CallFunction(),
    CallGrpcTask: CallGrpc(),
    CallHttpTask: CallHttp(),
    CallMcpTask: CallMcp(),
    CallOpenapiTask: CallOpenapi(),
    CallServedTask: CallServed(),
    CompensateTask: COMPENSATE,
    Definition: WORKFLOW,
    DoTask: Do(),
    EmitTask: Emit(),
    ForTask: For(),
    ForkTask: Fork(),
    ListenTask: LISTEN,
    PublishTask: Publish(),
    ReceiveTask: Receive(),
    RaiseTask: Raise(),
    RunWorkflowTask: RunWorkflow(),
    RunContainerTask: RunContainer(),
    RunScriptTask: RunScript(),
    RunShellTask: RunShell(),
    SetTask: Set(),
    SubscribeTask: Subscribe(),
    SwitchTask: Switch(),
    TryTask: TRY,
    WaitTask: Wait(),
}
"""How each kind of task behaves, and the workflow around them."""
