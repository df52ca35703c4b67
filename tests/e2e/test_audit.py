"""The audit trail through the real suite: what people do and what is refused can be looked at, and holds."""

import csv
import io
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing

import pytest

from autoworker import Client, NotFound, PermissionDenied, Unauthenticated
from autoworker.audit import AuditEntry, AuditFilter
from tests.support.gateway_client import Person
from tests.support.suite import Suite, command_line
from tests.support.time import eventually


@pytest.fixture
async def admin(suite: Suite) -> AsyncIterator[Client]:
    known = suite.administrator
    async with Client(suite.url, email=known.email, password=known.password) as client:
        yield client


async def found(admin: Client, **wanted: str) -> list[AuditEntry]:
    return [entry async for entry in admin.audit(AuditFilter(**wanted))]  # type: ignore[arg-type]


async def test_a_login_is_in_the_trail_when_it_is_answered(admin: Client, ada: Person) -> None:
    me = await ada.me()

    (entry,) = await found(admin, actor=me.id, action="logged_in")

    assert (entry.source, entry.outcome, entry.tenant) == ("auth", "done", "default")
    assert entry.address == "127.0.0.1"
    assert entry.request_id
    assert entry.target, "the session"


async def test_refusals_at_the_gateway_are_in_the_trail_soon(
    suite: Suite, admin: Client, ada: Person
) -> None:
    me = await ada.me()
    with pytest.raises(PermissionDenied):
        await ada.verify_audit()

    async def told() -> bool:
        return bool(await found(admin, actor=me.id, action="request_refused"))

    await eventually(told)
    (entry,) = await found(admin, actor=me.id, action="request_refused")
    assert entry.source == "gateway"
    assert entry.target == "/v1/audit/verify"
    assert "audit:read" in entry.reason
    assert entry.data["method"] == "GET"

    async with Client(suite.url, token="eyJhbGciOiJub25lIn0.e30.") as stranger:
        with pytest.raises(Unauthenticated):
            await stranger.me()

    async def unknown() -> bool:
        return any(e.reason == "token: shape" for e in await found(admin, action="request_refused"))

    await eventually(unknown)


async def test_only_those_who_may_look_see_anything(ada: Person) -> None:
    with pytest.raises(PermissionDenied):
        await anext(ada.audit())
    with pytest.raises(PermissionDenied):
        await ada.export_audit().__aenter__()
    with pytest.raises(PermissionDenied):
        await ada.verify_audit()


async def test_it_is_exported_whole_as_lines_and_as_a_table(admin: Client, ada: Person) -> None:
    me = await ada.me()
    wanted = AuditFilter(actor=me.id)
    async with admin.export_audit(wanted) as chunks:
        lines = b"".join([chunk async for chunk in chunks]).splitlines()
    async with admin.export_audit(wanted, format="csv") as chunks:
        text = b"".join([chunk async for chunk in chunks]).decode()

    actions = [json.loads(line)["action"] for line in lines]
    assert actions == ["logged_in", "user_registered"]
    assert [row["action"] for row in csv.DictReader(io.StringIO(text))] == actions


async def test_the_suite_and_the_command_line_verify_it(suite: Suite, admin: Client) -> None:
    verdict = await admin.verify_audit()
    assert verdict.intact
    assert verdict.entries > 0

    asked = command_line(suite.folder, "audit", "verify")
    offline = command_line(suite.folder, "audit", "verify", "--store", str(suite.data / "auth.db"))
    searched = command_line(suite.folder, "audit", "search", "--action", "logged_in")
    exported = command_line(suite.folder, "audit", "export", "--store", str(suite.data / "auth.db"))

    assert (asked.returncode, offline.returncode) == (0, 0), asked.stderr + offline.stderr
    assert "intact" in asked.stdout
    assert "default: intact" in offline.stdout
    assert "logged_in" in searched.stdout
    assert all(json.loads(line)["id"] for line in exported.stdout.splitlines())


async def test_whoever_edits_the_file_is_named(suite: Suite, ada: Person) -> None:
    copy = suite.folder / "copy.db"
    with (
        closing(sqlite3.connect(suite.data / "auth.db")) as source,
        closing(sqlite3.connect(copy)) as target,
    ):
        source.backup(target)
        target.execute("DROP TRIGGER audit_is_not_changed")
        target.execute("UPDATE audit SET actor = 'eve' WHERE sequence = 2")
        target.commit()

    arguments = ("--key-file", str(suite.data / "keys" / "auth.keys"))
    done = command_line(suite.folder, "audit", "verify", "--store", str(copy), *arguments)

    assert done.returncode == 1
    assert "default: BROKEN at entry 2 (" in done.stdout
    assert "edited" in done.stdout


DOOR = """
document: {dsl: 1.0.3, namespace: audit, name: door, version: 0.1.0}
do: [{knock: {call: http, with: {method: get, endpoint: "http://169.254.169.254/latest"}}}]
"""
SLEEPER = """
document: {dsl: 1.0.3, namespace: audit, name: sleeper, version: 0.1.0}
do: [{sleep: {wait: {hours: 1}}}]
"""


async def test_what_people_do_with_workflows_is_told(admin: Client, ada: Person) -> None:
    me = await ada.me()
    await ada.publish(SLEEPER)
    execution = await ada.start("audit/sleeper")
    await ada.suspend(execution.id, reason="lunch")
    await ada.resume(execution.id)
    await ada.cancel(execution.id)
    await ada.set_secret("shop", "value")
    await ada.delete_secret("shop")

    wanted = {
        ("workflow_published", "audit/sleeper/0.1.0"),
        ("execution_suspend_asked", execution.id),
        ("execution_resume_asked", execution.id),
        ("execution_cancel_asked", execution.id),
        ("secret_set", "shop"),
        ("secret_deleted", "shop"),
    }

    async def told() -> bool:
        entries = await found(admin, actor=me.id)
        return wanted <= {(entry.action, entry.target) for entry in entries}

    await eventually(told)
    (suspended,) = await found(admin, actor=me.id, action="execution_suspend_asked")
    assert (suspended.source, suspended.reason) == ("workflow", "lunch")


async def test_calls_that_were_not_let_out_are_told(admin: Client, ada: Person) -> None:
    me = await ada.me()
    await ada.publish(DOOR)
    execution = await ada.start("audit/door", wait=10)
    assert execution.status == "faulted"

    async def told() -> bool:
        return bool(await found(admin, actor=me.id, action="effect_refused"))

    await eventually(told)
    (entry,) = await found(admin, actor=me.id, action="effect_refused")
    assert (entry.target, entry.outcome) == (execution.id, "refused")
    assert "not one that may be called" in entry.reason


async def test_somebody_elses_things_are_told_as_absent(admin: Client, ada: Person) -> None:
    me = await ada.me()
    for _ in range(30):
        with pytest.raises(NotFound):
            await ada.get("0199c5e8-6f1b-7a20-9d2e-3c1f5b7a9d10")

    async def told() -> bool:
        return bool(await found(admin, actor=me.id, action="request_refused"))

    await eventually(told)
    entries = await found(admin, actor=me.id, action="request_refused")
    assert {entry.reason for entry in entries} == {"not_found"}
    assert len(entries) <= 10
