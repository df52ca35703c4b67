"""Why credentials do not help, as the DSL's problems: none tells what they are.

Source: Open Workflow Specification, DSL reference, "Standard Error Types".
"""

from __future__ import annotations

from workflow_service.application.credential_ports import CredentialsRefused
from workflow_service.domain.execution.problem import ERRORS, Problem, configuration


def unauthenticated(detail: str) -> CredentialsRefused:
    """Somebody does not believe that we are who we say we are."""
    return CredentialsRefused(
        Problem(ERRORS + "authentication", 401, "Authentication failed", detail)
    )


def bad_certificate(detail: str) -> CredentialsRefused:
    """Nobody could believe who we are by such a certificate; *detail* never has a part of the key."""
    return CredentialsRefused(
        Problem(ERRORS + "authentication", 401, "Client certificate unusable", detail)
    )


def unauthorized(detail: str) -> CredentialsRefused:
    """Somebody believes who we are, and says that this is not for us."""
    return CredentialsRefused(Problem(ERRORS + "authorization", 403, "Not authorized", detail))


def unusable(detail: str) -> CredentialsRefused:
    """The policy cannot work as it is written."""
    return CredentialsRefused(configuration(detail))


def unanswered(status: int, detail: str) -> CredentialsRefused:
    """Whoever gives out tokens does not answer as it must."""
    return CredentialsRefused(Problem(ERRORS + "communication", status, "No token", detail))
