"""Peppers: without their file a stolen store cannot even be guessed at."""

from pathlib import Path

from auth_service.adapters.peppers import KeyPeppers
from chassis.crypto.key_file import add_key, load_or_create


def peppers_of(path: Path) -> KeyPeppers:
    return KeyPeppers(load_or_create(path))


def test_a_hash_is_recognised_by_who_has_the_file(tmp_path: Path) -> None:
    peppers = peppers_of(tmp_path / "auth.keys")
    known = peppers.hashed("api-key", "secret")

    again = peppers_of(tmp_path / "auth.keys")

    assert again.matches("api-key", "secret", known)
    assert not again.matches("api-key", "other", known)
    assert not again.matches("mail-code", "secret", known)
    assert not again.matches("api-key", "secret", None)
    assert not peppers_of(tmp_path / "others.keys").matches("api-key", "secret", known)


def test_older_peppers_stay_good_and_new_hashes_take_the_newest(tmp_path: Path) -> None:
    path = tmp_path / "auth.keys"
    known = peppers_of(path).hashed("api-key", "secret")
    newest = add_key(path)

    peppers = peppers_of(path)

    assert peppers.matches("api-key", "secret", known)
    assert peppers.hashed("api-key", "secret").pepper == newest
