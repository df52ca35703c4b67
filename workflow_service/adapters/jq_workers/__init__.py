"""Expressions in killable worker processes; see pool.py."""

from workflow_service.adapters.jq_workers.pool import JqWorkers
from workflow_service.adapters.jq_workers.process import WorkerLimits

__all__ = ["JqWorkers", "WorkerLimits"]
