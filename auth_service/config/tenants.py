"""Which tenants there are."""

from auth_service.domain.tenant import DEFAULT_TENANT, is_tenant_name
from chassis.config import Environment

MAX_TENANTS = 1000


def tenants_of(env: Environment) -> frozenset[str]:
    """`default`, and those that the operator names, with commas between them."""
    named = [each.strip() for each in env.text("AUTOWORKER_TENANTS", "").split(",")]
    names = [each for each in named if each]
    for name in names:
        if not is_tenant_name(name):
            env.problem(
                "AUTOWORKER_TENANTS",
                f"{name!r} is no name: lower-case letters, digits and -, at most 63",
            )
    if len(names) > MAX_TENANTS:
        env.problem("AUTOWORKER_TENANTS", f"there may be at most {MAX_TENANTS}")
    return frozenset({DEFAULT_TENANT, *names})
