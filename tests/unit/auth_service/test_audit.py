"""What operators do with the audit trail: page through it, have it verified, keep it for some time."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from auth_service.adapters.checkpoint_file import NAME
from auth_service.application.commands.checkpoint_audit import CheckpointAudit
from auth_service.application.commands.keep_audit_entries import KeepAuditEntries
from auth_service.application.commands.purge_audit import PurgeAudit
from auth_service.application.ports.audit import AuditFilter
from auth_service.application.queries.find_audit import FindAudit
from auth_service.application.queries.verify_audit import VerifyAudit
from auth_service.config import AuditSettings, Settings
from auth_service.domain.audit import Fault
from auth_service.domain.errors import InputInvalid
from chassis.audit import AuditEntry
from tests.unit.auth_service.fakes import Identity, identity

ALL = AuditFilter("default")


def entry(number: int, at: int = 0, source: str = "workflow") -> AuditEntry:
    return AuditEntry(
        id=f"e{number}", at=at, tenant="default", source=source, action="done", outcome="done"
    )


@pytest.fixture
async def auth(tmp_path: Path) -> AsyncIterator[Identity]:
    settings = replace(Settings(data_dir=tmp_path), audit=AuditSettings(keep=timedelta(days=90)))
    async with identity(settings) as made:
        yield made


async def keep(auth: Identity, *entries: AuditEntry, source: str = "workflow") -> None:
    await auth.app.audit.keep(KeepAuditEntries(source, entries))


async def test_pages_go_on_where_the_one_before_ended(auth: Identity) -> None:
    await keep(auth, *(entry(number) for number in range(5)))

    first = await auth.app.audit.find(FindAudit(ALL, 2))
    second = await auth.app.audit.find(FindAudit(ALL, 2, first.next_cursor))
    last = await auth.app.audit.find(FindAudit(ALL, 2, second.next_cursor))

    found = [each.entry.id for page in (first, second, last) for each in page.entries]
    assert found == ["e4", "e3", "e2", "e1", "e0"]
    assert last.next_cursor == ""


@pytest.mark.parametrize("cursor", ["x", "-1", "1" * 30, "\u0661"])
async def test_a_cursor_of_somebody_elses_is_refused(auth: Identity, cursor: str) -> None:
    with pytest.raises(InputInvalid):
        await auth.app.audit.find(FindAudit(ALL, 2, cursor))


async def test_no_service_speaks_for_another(auth: Identity) -> None:
    await keep(auth, entry(1, source="auth"), source="gateway")

    page = await auth.app.audit.find(FindAudit(ALL, 2))
    assert [each.entry.source for each in page.entries] == ["gateway"]


async def test_checkpoints_are_written_when_something_was_told(
    auth: Identity, tmp_path: Path
) -> None:
    file = tmp_path / "audit" / NAME
    await keep(auth, entry(1))

    for _ in range(3):
        await auth.app.audit.checkpoint(CheckpointAudit())
    assert len(file.read_bytes().splitlines()) == 1
    await keep(auth, entry(2))
    await auth.app.audit.checkpoint(CheckpointAudit())
    assert len(file.read_bytes().splitlines()) == 2

    verdict = await auth.app.audit.verify(VerifyAudit("default"))
    assert (verdict.broken, verdict.entries, verdict.checkpoints) == (None, 2, 2)


async def test_a_checkpoint_that_is_none_of_ours_is_told(auth: Identity, tmp_path: Path) -> None:
    await keep(auth, entry(1))
    await auth.app.audit.checkpoint(CheckpointAudit())
    file = tmp_path / "audit" / NAME
    file.write_bytes(file.read_bytes().replace(b'"default",1', b'"default",2'))

    broken = (await auth.app.audit.verify(VerifyAudit("default"))).broken
    assert broken is not None
    assert (broken.fault, "line 1" in broken.detail) == (Fault.MARK, True)


async def test_what_was_kept_long_enough_goes_and_that_is_told(auth: Identity) -> None:
    now = int(auth.clock.now().timestamp() * 1_000_000)
    day = 24 * 3600 * 1_000_000
    await keep(auth, entry(1, now - 100 * day), entry(2, now - 91 * day), entry(3, now - day))

    await auth.app.audit.purge(PurgeAudit())
    await auth.app.audit.purge(PurgeAudit())

    page = await auth.app.audit.find(FindAudit(ALL, 10))
    assert [each.entry.id for each in page.entries] == ["e3"]
    assert auth.audit.entries.count(("audit_purged", {"entries": 2, "days": 90})) == 1
    assert (await auth.app.audit.verify(VerifyAudit("default"))).broken is None


async def test_entries_are_kept_for_ever_unless_somebody_says_otherwise(tmp_path: Path) -> None:
    async with identity(Settings(data_dir=tmp_path)) as auth:
        await keep(auth, entry(1, at=1))
        await auth.app.audit.purge(PurgeAudit())

        assert len((await auth.app.audit.find(FindAudit(ALL, 10))).entries) == 1
