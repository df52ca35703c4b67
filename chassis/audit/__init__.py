"""The audit trail: what happened, who did it, and what was refused.

`Audit` is the port that everybody tells; `AuditEntry` is what travels and is kept.
"""

from chassis.audit.entry import AuditEntry, Fact
from chassis.audit.port import Audit, SettlingAudit, SilentAudit, nothing_changed

__all__ = ["Audit", "AuditEntry", "Fact", "SettlingAudit", "SilentAudit", "nothing_changed"]
