"""What others know to go wrong with the primitives that the suite is built on, tried on the suite's own functions.

The vectors are C2SP's; they are used where they lie beside the repository.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from jwt.algorithms import ECAlgorithm

from chassis.crypto.sealing import IntegrityBroken, derived, same, seal, tag, unseal
from chassis.rpc.jws import ALGORITHM, TokenRefused, header_of, on_p256
from chassis.rpc.keys import parse_keys

FOLDER = Path(__file__).parents[4] / "shared" / "vectors" / "wycheproof"
MISLEADING = {346, 347, 350, 351, 367, 370, 372, 373}
"""Vectors of JSON web signatures that are wrong or mean something else."""

pytestmark = pytest.mark.skipif(not FOLDER.exists(), reason="the Wycheproof vectors are not here")


def vectors(name: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Every test with its group."""
    for group in json.loads((FOLDER / f"{name}_test.json").read_text())["testGroups"]:
        for test in group["tests"]:
            yield group, test


def test_es256_signatures_are_believed_exactly_when_they_are_valid() -> None:
    """As tokens are verified: 64 bytes, r and s, by the very algorithm that the verifier names."""
    es256, seen = jwt.get_algorithm_by_name(ALGORITHM), {"valid": 0, "invalid": 0}
    assert isinstance(es256, ECAlgorithm)
    for group, test in vectors("ecdsa_secp256r1_sha256_p1363"):
        key = on_p256(load_pem_public_key(group["publicKeyPem"].encode()))
        signature = bytes.fromhex(test["sig"])
        believed = len(signature) == 64 and es256.verify(bytes.fromhex(test["msg"]), key, signature)
        assert believed == (test["result"] == "valid"), test["tcId"]
        seen[test["result"]] += 1
    assert min(seen.values()) > 50


def verifies(token: str, key: ec.EllipticCurvePublicKey) -> bool:
    """Whether the library behind the verifier believes *token*."""
    try:
        jwt.PyJWS().decode(token, key, algorithms=[ALGORITHM])
    except jwt.PyJWTError:
        return False
    return True


def test_web_signatures_under_our_algorithm_are_believed_exactly_when_they_are_valid() -> None:
    seen = {"valid": 0, "invalid": 0}
    for group, test in vectors("json_web_signature"):
        jwk = group.get("public") or {}
        if jwk.get("crv") != "P-256" or test["tcId"] in MISLEADING:
            continue
        if not isinstance(test["jws"], str):
            continue  # the JSON serialisation, which nothing here reads
        key = parse_keys(json.dumps({"keys": [jwk]}).encode()).get(jwk["kid"])
        believed = key is not None and verifies(test["jws"], key)
        with pytest.raises(TokenRefused) as refused:  # none says that it is a token of ours
            header_of(test["jws"])
        believed = believed and refused.value.reason != "shape"
        assert believed == (test["result"] in ("valid", "acceptable")), test["tcId"]
        seen["valid" if believed else "invalid"] += 1
    assert seen["valid"] > 0
    assert seen["invalid"] > 20


def test_what_is_sealed_opens_exactly_when_nothing_was_changed() -> None:
    opened = refused = 0
    for group, test in vectors("aes_gcm"):
        key, nonce, aad, plain, sealed, mark = (
            bytes.fromhex(test[name]) for name in ("key", "iv", "aad", "msg", "ct", "tag")
        )
        try:
            assert unseal(key, nonce + sealed + mark, aad) == plain
            opened += 1
            # Ours has 96 bits, whatever others allow.
            assert (test["result"], group["ivSize"]) == ("valid", 96), test["tcId"]
        except IntegrityBroken:
            refused += 1
            assert test["result"] == "invalid" or group["ivSize"] != 96, test["tcId"]
        if test["result"] == "valid" and group["ivSize"] == 96:
            assert unseal(key, seal(key, plain, aad), aad) == plain
    assert opened > 50
    assert refused > 50


def test_marks_are_right_and_half_a_mark_is_none() -> None:
    for group, test in vectors("hmac_sha256"):
        key, message, mark = (bytes.fromhex(test[name]) for name in ("key", "msg", "tag"))
        whole = group["tagSize"] == 256
        assert same(tag(key, message), mark) == (whole and test["result"] == "valid"), test["tcId"]


def test_derived_keys_are_those_of_the_standard() -> None:
    ours = 0
    for _, test in vectors("hkdf_sha256"):
        key, salt, info = (bytes.fromhex(test[name]) for name in ("ikm", "salt", "info"))
        if test["result"] != "valid":
            with pytest.raises(ValueError, match="larger"):
                HKDF(SHA256(), test["size"], salt=salt, info=info)
            continue
        expected = bytes.fromhex(test["okm"])
        assert HKDF(SHA256(), test["size"], salt=salt, info=info).derive(key) == expected
        if not salt and not info and test["size"] >= 32:
            # Without a salt and with a purpose of no letters: what `derived` does, 32 bytes of it.
            assert derived(key, "") == expected[:32]
            ours += 1
    assert ours > 0
