"""A store's own key: random, kept in the store, wrapped by the operator's key, wrapped anew when that changes."""

import sqlite3
from typing import Final

from chassis.crypto.key_file import WrappingKeys
from chassis.crypto.sealing import IntegrityBroken, about, new_key, seal, unseal
from chassis.errors import CannotStart

STORE_KEYS: Final = """
CREATE TABLE store_keys (
    name TEXT PRIMARY KEY,
    wrapped_by TEXT NOT NULL,
    sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID
"""
"""The table that it is kept in."""


def own_key(connection: sqlite3.Connection, name: str, wrapping: WrappingKeys) -> bytes:
    """The store's key called *name*, made now when there is none; within a transaction.

    Raises:
        CannotStart: it cannot be unwrapped with the keys of the operator.
    """
    row = connection.execute(
        "SELECT wrapped_by, sealed FROM store_keys WHERE name = ?", (name,)
    ).fetchone()
    key = new_key() if row is None else unwrapped(name, row[0], row[1], wrapping)
    if row is None or row[0] != wrapping.current:
        sealed = wrapped(name, key, wrapping)
        connection.execute(
            "INSERT INTO store_keys VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE "
            "SET wrapped_by = excluded.wrapped_by, sealed = excluded.sealed",
            (name, wrapping.current, sealed),
        )
    return key


def wrapped(name: str, key: bytes, wrapping: WrappingKeys) -> bytes:
    """*key* as the row called *name* has it, wrapped by the current key of the operator."""
    return seal(wrapping.keys[wrapping.current], key, _belongs_to(name, wrapping.current))


def unwrapped(name: str, wrapped_by: str, sealed: bytes, wrapping: WrappingKeys) -> bytes:
    """The key in a row of the table.

    Raises:
        CannotStart: it cannot be unwrapped with the keys of the operator.
    """
    key = wrapping.keys.get(wrapped_by)
    if key is None:
        raise CannotStart(
            f"the store's key {name} needs the key {wrapped_by}, which the file of keys "
            "(AUTOWORKER_AUTH_KEY_FILE) does not have: restore that file"
        )
    try:
        return unseal(key, sealed, _belongs_to(name, wrapped_by))
    except IntegrityBroken as exc:
        raise CannotStart(
            f"the store's key {name} cannot be opened: it was changed, or the file of keys "
            "(AUTOWORKER_AUTH_KEY_FILE) is another one"
        ) from exc


def _belongs_to(name: str, wrapped_by: str) -> bytes:
    return about("", "store_keys", name, "sealed", wrapped_by)
