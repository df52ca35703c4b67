"""Performs ``call: openapi``: finds the operation in its document, and sends the request that it describes."""

from workflow_service.adapters.task_runners.openapi.documents import Documents
from workflow_service.adapters.task_runners.openapi.runner import OpenapiRunner

__all__ = ["Documents", "OpenapiRunner"]
