"""Sealed texts, judged by vectors that others wrote where they are at hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from chassis.crypto.sealing import (
    IntegrityBroken,
    about,
    derived,
    new_key,
    seal,
    unseal,
)

VECTORS = Path(__file__).parents[4] / "shared" / "vectors" / "wycheproof"
PLACE = about("acme", "secrets", "shop", 1)


def groups(name: str) -> list[dict[str, Any]]:
    """The groups of a file of vectors; skips the test when it is not there."""
    path = VECTORS / name
    if not path.exists():
        pytest.skip("no vectors here")
    found: list[dict[str, Any]] = msgspec.json.decode(path.read_bytes())["testGroups"]
    return found


def test_what_was_sealed_opens_with_the_same_key_and_place() -> None:
    key = new_key()

    assert unseal(key, seal(key, b"s3cr3t", PLACE), PLACE) == b"s3cr3t"


@pytest.mark.parametrize(
    "other",
    [
        about("evil", "secrets", "shop", 1),
        about("acme", "secrets", "other", 1),
        about("acme", "secrets", "shop", 2),
    ],
    ids=["tenant", "row", "version"],
)
def test_it_does_not_open_for_another_place(other: bytes) -> None:
    key = new_key()

    with pytest.raises(IntegrityBroken):
        unseal(key, seal(key, b"s3cr3t", PLACE), other)


@pytest.mark.parametrize("at", [0, 12, -1])
def test_no_bit_of_it_can_be_changed(at: int) -> None:
    key = new_key()
    sealed = bytearray(seal(key, b"s3cr3t", PLACE))
    sealed[at] ^= 1

    with pytest.raises(IntegrityBroken):
        unseal(key, bytes(sealed), PLACE)


@pytest.mark.parametrize("size", [0, 11, 12, 27])
def test_what_is_too_short_is_refused_and_nothing_else_happens(size: int) -> None:
    with pytest.raises(IntegrityBroken):
        unseal(new_key(), bytes(size), PLACE)


def test_the_same_text_never_looks_the_same_twice() -> None:
    key = new_key()

    assert len({seal(key, b"s3cr3t", PLACE) for _ in range(50)}) == 50


def test_places_that_only_look_alike_differ() -> None:
    assert about("a", "bc") != about("ab", "c")
    assert about("a", 1) != about("a", "1")


def test_keys_for_different_purposes_differ() -> None:
    key = new_key()

    assert derived(key, "one") == derived(key, "one")
    assert derived(key, "one") != derived(key, "two")


def test_gcm_opens_what_is_valid_and_refuses_the_rest() -> None:
    judged = 0
    for group in groups("aes_gcm_test.json"):
        if group["keySize"] != 256 or group["tagSize"] != 128:
            continue
        for case in group["tests"]:
            key, place = bytes.fromhex(case["key"]), bytes.fromhex(case["aad"])
            sealed = bytes.fromhex(case["iv"] + case["ct"] + case["tag"])
            if case["result"] == "valid" and group["ivSize"] == 96:
                assert unseal(key, sealed, place) == bytes.fromhex(case["msg"]), case["tcId"]
            else:
                with pytest.raises(IntegrityBroken):
                    unseal(key, sealed, place)
            judged += 1
    assert judged > 100


def test_hkdf_derives_what_the_vectors_say() -> None:
    judged = 0
    for group in groups("hkdf_sha256_test.json"):
        for case in group["tests"]:
            info = bytes.fromhex(case["info"])
            # Longer outputs begin with the shorter one of the same key and purpose.
            if case["salt"] or case["size"] < 32 or not info.isascii():
                continue
            made = derived(bytes.fromhex(case["ikm"]), info.decode("ascii"))
            assert made.hex() == case["okm"][:64], case["tcId"]
            judged += 1
    if not judged:
        pytest.skip("no vector has our salt and length")
