"""What the standard knows and this runtime does not do yet.

A document that uses any of it is refused when it is published, never run as if it were not there. Whoever builds a
feature deletes its row and gives the parser the code that reads it.
"""

from collections.abc import Mapping
from typing import Final

NOT_YET: Final[Mapping[str, str]] = {
    # root members
    "schedule": "starting executions by a schedule or by events",
    "use.catalogs": "using catalogs",
    "use.extensions": "using extensions",
    "use.secrets": "using secrets",
    # tasks
    "task.listen": "listening for events",
    "task.run": "running containers, scripts, shell commands or workflows",
    "metadata.compensate": "compensating a task",
    # calls
    "call.a2a": "calling A2A agents",
    "call.asyncapi": "calling AsyncAPI operations",
    "call.grpc": "calling gRPC services",
    "call.mcp": "calling MCP servers",
    "call.openapi": "calling OpenAPI operations",
    "call.catalog": "calling functions of catalogs",
    # authentication
    "authentication.digest": "digest authentication",
    "authentication.oauth2": "OAuth 2.0 authentication",
    "authentication.oidc": "OpenID Connect authentication",
    "authentication.secret": "taking credentials from a secret",
    # the rest
    "evaluate.language": "an expression language other than jq",
    "schema.format": "a schema format other than JSON Schema ('json')",
    "schema.resource": "fetching a schema from elsewhere",
}


def not_yet(feature: str) -> str | None:
    """Return the message that refuses *feature*, a key of NOT_YET; None when it is supported."""
    words = NOT_YET.get(feature)
    return None if words is None else f"{words} is not supported yet"
