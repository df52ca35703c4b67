"""The Python client of Autoworker, and its command line.

async with Client("http://127.0.0.1:8080", email=…, password=…) as client:
    await client.publish(document)
    execution = await client.start("examples/hello", input={"name": "Ada"}, wait=10)
"""

from autoworker.api_keys import ApiKey, NewApiKey
from autoworker.client import Client
from autoworker.errors import (
    ApiError,
    AutoworkerError,
    Conflict,
    DeadlineExceeded,
    InternalError,
    InvalidRequest,
    MfaRequired,
    NotFound,
    NotUnderstood,
    PermissionDenied,
    RateLimited,
    Unauthenticated,
    Unavailable,
    Unreachable,
)
from autoworker.model import (
    Blocker,
    Definition,
    Event,
    Execution,
    Explanation,
    JsonValue,
    Notification,
    Problem,
    Tokens,
    User,
    WorkflowReference,
)
from autoworker.secrets import Secret

__all__ = [
    "ApiError",
    "ApiKey",
    "AutoworkerError",
    "Blocker",
    "Client",
    "Conflict",
    "DeadlineExceeded",
    "Definition",
    "Event",
    "Execution",
    "Explanation",
    "InternalError",
    "InvalidRequest",
    "JsonValue",
    "MfaRequired",
    "NewApiKey",
    "NotFound",
    "NotUnderstood",
    "Notification",
    "PermissionDenied",
    "Problem",
    "RateLimited",
    "Secret",
    "Tokens",
    "Unauthenticated",
    "Unavailable",
    "Unreachable",
    "User",
    "WorkflowReference",
]
