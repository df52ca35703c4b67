"""Which answers the audit trail is told of: those by which somebody was not let in, or not let do something."""

from typing import Final

from chassis.audit import Audit
from chassis.errors import Kind, ServiceError
from chassis.rpc.jws import TokenRefused
from gateway.routes.problems import NoCredentials, PermissionMissing, RequestRefused
from gateway.routes.route import Access, Incoming

_FOREIGN: Final = "not_found"
_DISABLED: Final = "feature_disabled"


def tell(audit: Audit, request: Incoming, error: ServiceError) -> None:
    """Tell *audit* of *error*, if it is a refusal."""
    reason = _reason(request, error)
    if reason is None:
        return
    caller, route = request.caller_or_none, request.route
    principal = caller.principal if caller else None
    audit.record(
        "request_refused",
        tenant=principal.tenant if principal else "",
        actor=principal.id if principal else "",
        target=request.path,
        address=request.address,
        reason=reason,
        request_id=request.request_id,
        method=request.method,
        route=route.path if route else "",
    )


def _reason(request: Incoming, error: ServiceError) -> str | None:
    """Why somebody was refused; None when it is no refusal, or whoever refused it has told already."""
    match error.kind:
        case Kind.UNAUTHENTICATED | Kind.MFA_REQUIRED:
            return None if _public(request) else _of_token(error)
        case Kind.PERMISSION_DENIED:
            return str(error) if isinstance(error, PermissionMissing) else "permission_denied"
        case Kind.RATE_LIMITED:
            return "rate_limited"
        case Kind.NOT_FOUND if request.caller_or_none is not None and request.arguments:
            # Nobody outside learns whether it is absent or somebody else's; nor does this tell.
            return _FOREIGN
        case Kind.MALFORMED if isinstance(error, RequestRefused):
            return "malformed"
        case Kind.INVALID if _disabled(error):
            return _DISABLED
        case _:
            return None


def _public(request: Incoming) -> bool:
    """Identity itself tells who could not log in, and why."""
    return request.route is not None and request.route.permission is Access.PUBLIC


def _of_token(error: ServiceError) -> str:
    if isinstance(error, NoCredentials):
        return "no_credentials"
    if isinstance(error, TokenRefused):
        return f"token: {error.reason}"
    return error.kind.value.lower()


def _disabled(error: ServiceError) -> bool:
    return error.message.startswith(_DISABLED) or any(
        detail.message.startswith(_DISABLED) for detail in error.details
    )
