"""The keys of secrets over the life of a suite: rotation, and somebody who tampers with the database."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from autoworker import Client, Execution
from tests.support.suite import Suite, command_line, started, until

USES = """
document: {dsl: 1.0.3, namespace: tests, name: uses, version: 1.0.0}
use: {secrets: [token]}
do: [{keep: {set: {there: "${ $secrets.token | has(0)? // true }"}}}]
"""


async def used(suite: Suite) -> Execution:
    """An execution that reads the secret."""
    known = suite.administrator
    async with Client(suite.url, email=known.email, password=known.password) as client:
        definition = await client.publish(USES)
        return await client.start(definition.reference, {}, wait=20)


def set_token(suite: Suite, value: str) -> None:
    assert command_line(suite.folder, "secrets", "set", "token", stdin=value).returncode == 0


def rows(suite: Suite, statement: str, *values: object) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(suite.data / "workflow.db", isolation_level=None)) as store:
        return store.execute(statement, values).fetchall()


async def test_keys_are_rotated_and_rows_that_were_rolled_back_are_refused(tmp_path: Path) -> None:
    keys = tmp_path / "data" / "keys" / "secrets.keys"
    with started(tmp_path) as suite:
        set_token(suite, "first-value")
        assert (await used(suite)).status == "completed"
        old = keys.read_text()
        assert keys.stat().st_mode & 0o777 == 0o600

    assert command_line(tmp_path, "secrets", "rotate").returncode == 0
    new = keys.read_text().removeprefix(old)
    assert new
    with started(tmp_path) as suite:
        current = new.partition(" ")[0]
        by = "SELECT wrapped_by FROM tenant_keys"
        until(lambda: True if rows(suite, by) == [(current,)] else None, "wrapping the keys anew")

    keys.write_text(new)
    with started(tmp_path) as suite:
        assert (await used(suite)).status == "completed"
        before = rows(suite, "SELECT version, sealed FROM secrets")[0]
        set_token(suite, "second-value")
        assert (await used(suite)).status == "completed"

        rows(suite, "UPDATE secrets SET version = ?, sealed = ?", *before)
        refused = await used(suite)
        set_token(suite, "third-value")
        mended = await used(suite)

    assert refused.error is not None
    assert (refused.error.status, refused.error.instance) == (403, "/do/0/keep")
    assert "integrity" in str(refused.error.detail)
    assert mended.status == "completed"
