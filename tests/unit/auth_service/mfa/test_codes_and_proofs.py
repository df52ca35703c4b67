"""Codes that are made here, telephone numbers, and how much a proof is worth."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from auth_service.domain.mfa.codes import (
    device_digest,
    device_token,
    recovery_code,
    recovery_digest,
    short_code,
    tidy_recovery_code,
)
from auth_service.domain.mfa.factors import Factor, FactorKind, Method, methods_of, shown_target
from auth_service.domain.mfa.phone import phone_problems, tidy_phone
from auth_service.domain.mfa.proofs import UNPROVED, Proof, amr_of, stepped_up
from auth_service.domain.mfa_requirement import Requirement
from auth_service.domain.session import LiveSession
from auth_service.domain.user import EmailAddress, User

NOW = datetime(2026, 1, 15, 10, 30, tzinfo=UTC)


def factor(kind: FactorKind, target: str = "") -> Factor:
    return Factor(f"f-{kind}", "u", "default", kind, target, NOW, NOW)


def test_short_codes_have_six_digits_and_leading_zeros() -> None:
    assert short_code(bytes(16)) == "000000"
    assert short_code((42).to_bytes(16)) == "000042"
    assert len(short_code(b"\xff" * 16)) == 6


def test_recovery_codes_carry_all_of_their_80_bits() -> None:
    code = recovery_code(b"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09")

    assert code == "AAAQ-EAYE-AUDA-OCAJ"
    assert tidy_recovery_code(code) == "AAAQEAYEAUDAOCAJ"


@pytest.mark.parametrize(
    "written", ["aaaq-eaye-auda-ocaj", " AAAQ EAYE AUDA OCAJ\n", "AAAQEAYEAUDA0CAJ"]
)
def test_recovery_codes_forgive_how_people_type(written: str) -> None:
    assert tidy_recovery_code(written) == "AAAQEAYEAUDAOCAJ"


@pytest.mark.parametrize("written", ["", "AAAQ", "AAAQ-EAYE-AUDA-OCA!", "A" * 17])
def test_what_is_no_recovery_code_is_none(written: str) -> None:
    assert tidy_recovery_code(written) is None


def test_the_same_recovery_code_of_two_users_has_two_digests() -> None:
    assert recovery_digest("a", "AAAQEAYEAUDAOCAJ") != recovery_digest("b", "AAAQEAYEAUDAOCAJ")


def test_device_tokens_have_256_bits_and_are_known_by_a_digest() -> None:
    token = device_token(bytes(range(32)))

    assert len(token) == 43
    assert device_digest(token) is not None
    assert device_digest(token + "x") is None


@pytest.mark.parametrize("written", ["+41 44 123 45 67", "+1 (415) 555-2671", "+4915112345678"])
def test_telephone_numbers_are_international(written: str) -> None:
    assert phone_problems(tidy_phone(written)) == ()


@pytest.mark.parametrize(
    "written",
    ["", "0441234567", "+0441234567", "+41", "+" + "1" * 16, "+41x123456", "+٤١٤٤١٢٣٤٥٦٧"],
)
def test_what_is_no_telephone_number_is_told_so(written: str) -> None:
    assert [problem.field for problem in phone_problems(tidy_phone(written))] == ["phone"]


def test_methods_are_listed_the_strongest_first() -> None:
    factors = (factor(FactorKind.SMS), factor(FactorKind.TOTP))

    assert methods_of(factors, 3) == (Method.TOTP, Method.SMS, Method.RECOVERY)
    assert methods_of(factors, 0) == (Method.TOTP, Method.SMS)


def test_recovery_codes_alone_are_no_factor() -> None:
    assert methods_of((), 10) == ()


def test_targets_are_shown_so_that_only_their_owner_knows_them() -> None:
    assert shown_target(factor(FactorKind.SMS, "+41441234567")) == "+41*******67"
    assert shown_target(factor(FactorKind.EMAIL, "ada@example.com")) == "a***@example.com"
    assert shown_target(factor(FactorKind.TOTP)) == ""


@pytest.mark.parametrize("method", [Method.TOTP, Method.EMAIL, Method.SMS, Method.RECOVERY])
def test_a_code_makes_two_factors(method: Method) -> None:
    proof = stepped_up(method, NOW)

    assert proof.is_multi_factor
    assert proof.acr == "aal2"
    assert proof.amr[0] == "pwd"
    assert proof.amr[-1] == "mfa"


def test_a_remembered_device_is_no_second_factor() -> None:
    proof = Proof(NOW, amr_of(Method.PASSWORD, Method.DEVICE))

    assert (proof.acr, proof.amr) == ("aal1", ("pwd", "device"))


@pytest.mark.parametrize(
    ("method", "strong"),
    [(Method.TOTP, True), (Method.RECOVERY, True), (Method.SMS, False), (Method.EMAIL, False)],
)
def test_what_comes_by_mail_or_telephone_is_not_strong(method: Method, strong: bool) -> None:
    assert stepped_up(method, NOW).is_strong is strong


@pytest.mark.parametrize(
    ("age", "recent"), [(-3600, False), (-30, True), (0, True), (300, True), (301, False)]
)
def test_a_proof_is_recent_for_five_minutes(age: int, recent: bool) -> None:
    assert Proof(NOW, ("pwd",)).is_recent(NOW + timedelta(seconds=age)) is recent


def test_nothing_known_is_worth_nothing() -> None:
    assert not UNPROVED.is_recent(NOW)
    assert not UNPROVED.is_multi_factor


USER = User("u", "default", EmailAddress.of("a@b.c"), "", "hash", (), NOW, NOW)
LITTLE, MUCH = ("factors:write", "users:self"), ("factors:write", "users:self", "users:write")


@pytest.mark.parametrize(
    ("requirement", "permissions", "left"),
    [
        (Requirement.NONE, MUCH, MUCH),
        (Requirement.ADMINS, LITTLE, LITTLE),
        (Requirement.ADMINS, MUCH, ("factors:write",)),
        (Requirement.ALL, LITTLE, ("factors:write",)),
    ],
)
def test_who_owes_a_second_factor_may_only_get_one(
    requirement: Requirement, permissions: tuple[str, ...], left: tuple[str, ...]
) -> None:
    assert requirement.allowed(LiveSession("s", USER), permissions) == left
    paid = LiveSession("s", USER, has_factor=True)
    assert requirement.allowed(paid, permissions) == permissions


def test_nothing_is_asked_of_service_accounts() -> None:
    account = replace(USER, password_hash="")

    assert Requirement.ALL.allowed(LiveSession("s", account), MUCH) == MUCH
