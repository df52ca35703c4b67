"""What people ask of executions is told before it is done, so that no crash can hide it.

Whether it was done is in the execution's own history; that it was refused is told by the answer.
"""

from __future__ import annotations

from chassis.audit import SettlingAudit
from workflow_service.application.caller import Caller


async def asked(
    audit: SettlingAudit, verb: str, caller: Caller, execution: str, reason: str = ""
) -> None:
    """Tell that *caller* wants to *verb* an execution of theirs; returns when that is kept.

    Raises:
        Unavailable: it cannot be kept now.
    """
    audit.record(
        f"execution_{verb}_asked",
        tenant=caller.tenant,
        actor=caller.id,
        target=execution,
        reason=reason,
    )
    await audit.settled()
