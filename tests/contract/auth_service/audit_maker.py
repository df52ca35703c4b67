"""Entries of the audit trail, as tests of its stores make them."""

from auth_service.application.ports.audit import Verdict
from auth_service.bootstrap.stores import Stores
from chassis.audit import AuditEntry
from tests.contract.auth_service.conftest import NOW

T0 = int(NOW.timestamp() * 1_000_000)


def entry(number: int, *, tenant: str = "default", actor: str = "ada", **more: str) -> AuditEntry:
    """One of a kind, a second after the one before it."""
    return AuditEntry(
        id=f"{tenant}-{number}", at=T0 + number * 1_000_000, tenant=tenant, source="auth",
        action=more.get("action", "logged_in"), outcome="done", actor=actor,
        address=more.get("address", "192.0.2.1"), data={"number": number},
        personal={"email": "a***@e***"},
    )  # fmt: skip


async def fill(stores: Stores, count: int = 10, tenant: str = "default") -> None:
    """The first *count* of them."""
    await stores.trail.keep([entry(number, tenant=tenant) for number in range(1, count + 1)])


async def verdict(stores: Stores, tenant: str = "default") -> Verdict:
    """What the trail itself says, without any checkpoint."""
    return await stores.trail.verify(tenant, ())
