"""The private halves of signing keys at rest: sealed, each for its own row and nothing else."""

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from auth_service.adapters.key_seal import SigningKeysUnusable
from auth_service.adapters.sqlite.stores import KEY_FILE, sqlite_stores
from auth_service.domain.signing_key import KeyUse, SigningKey
from chassis.crypto.key_file import add_key
from chassis.errors import CannotStart
from tests.contract.auth_service.conftest import NOW

PEM = b"-----BEGIN PRIVATE KEY-----" + b"canary" * 40
KEYS = [
    SigningKey(use.value, use, "", PEM + use.value.encode(), NOW, NOW, NOW + timedelta(days=1))
    for use in (KeyUse.ACCESS, KeyUse.INTERNAL)
]
MEDDLING = {
    "two keys exchanged": (
        "UPDATE signing_keys SET private_pem = (SELECT private_pem FROM signing_keys AS other "
        "WHERE other.use != signing_keys.use)"
    ),
    "one copied over the other": (
        "UPDATE signing_keys SET private_pem = (SELECT private_pem FROM signing_keys AS other "
        "WHERE other.use = 'internal') WHERE use = 'access'"
    ),
    "a longer life": "UPDATE signing_keys SET expires_at = expires_at + 1",
    "an earlier start": "UPDATE signing_keys SET activates_at = activates_at - 1",
    "another use": "UPDATE signing_keys SET use = 'mfa' WHERE use = 'internal'",
    "another id": "UPDATE signing_keys SET kid = 'k' WHERE use = 'internal'",
    "cut short": "UPDATE signing_keys SET private_pem = zeroblob(11)",
    "the store's own key": "UPDATE store_keys SET sealed = zeroblob(60)",
}


async def made(folder: Path) -> Path:
    path = folder / "auth.db"
    async with sqlite_stores(path) as stores:
        for key in KEYS:
            assert await stores.keys.add(key)
    return path


def changed(path: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement, values)
        connection.commit()


def has(folder: Path, text: bytes) -> bool:
    return any(text in each.read_bytes() for each in folder.glob("auth.db*"))


async def test_no_file_has_a_key_in_the_clear_and_all_come_back(tmp_path: Path) -> None:
    path = await made(tmp_path)
    assert not has(tmp_path, b"canary")

    async with sqlite_stores(path) as stores:
        assert set(await stores.keys.all()) == set(KEYS)
        assert not has(tmp_path, b"canary")


@pytest.mark.parametrize("what", MEDDLING)
async def test_a_row_that_was_changed_or_moved_is_refused(tmp_path: Path, what: str) -> None:
    path = await made(tmp_path)
    changed(path, MEDDLING[what])

    with pytest.raises(CannotStart, match=r"\(integrity\)|cannot be opened"):
        async with sqlite_stores(path):
            raise AssertionError


async def test_what_is_changed_while_it_runs_signs_nothing(tmp_path: Path) -> None:
    path = await made(tmp_path)
    async with sqlite_stores(path) as stores:
        changed(path, MEDDLING["a longer life"])

        with pytest.raises(SigningKeysUnusable, match="integrity"):
            await stores.keys.all()


async def test_without_the_operators_keys_nothing_opens(tmp_path: Path) -> None:
    path = await made(tmp_path)
    (tmp_path / KEY_FILE).unlink()

    with pytest.raises(CannotStart, match="AUTOWORKER_AUTH_KEY_FILE"):
        async with sqlite_stores(path):
            raise AssertionError


async def test_after_a_rotation_the_older_key_of_the_operator_can_go(tmp_path: Path) -> None:
    path = await made(tmp_path)
    add_key(tmp_path / KEY_FILE)
    async with sqlite_stores(path):
        pass
    file = tmp_path / KEY_FILE
    file.write_text(file.read_text().splitlines()[-1] + "\n")

    async with sqlite_stores(path) as stores:
        assert set(await stores.keys.all()) == set(KEYS)


async def test_keys_of_an_earlier_version_are_sealed_and_overwritten(tmp_path: Path) -> None:
    path = await made(tmp_path)
    for key in KEYS:
        statement = "UPDATE signing_keys SET private_pem = ? WHERE kid = ?"
        changed(path, statement, key.private_pem, key.kid)
    assert has(tmp_path, b"canary")

    async with sqlite_stores(path) as stores:
        assert not has(tmp_path, b"canary")
        assert set(await stores.keys.all()) == set(KEYS)

    assert not has(tmp_path, b"canary")
