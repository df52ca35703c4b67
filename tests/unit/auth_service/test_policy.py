"""What a password must be like."""

from importlib import resources

import pytest

from auth_service.domain.policy import MAX_GUESS, PasswordPolicy
from auth_service.domain.well_known_passwords import FILE, compiled, is_well_known

POLICY = PasswordPolicy()


def messages(password: str, policy: PasswordPolicy = POLICY) -> list[str]:
    problems = policy.problems(password)
    assert {problem.field for problem in problems} <= {"password"}
    return [problem.message for problem in problems]


@pytest.mark.parametrize("password", ["Tr0ub4dor&3x", "Übergrößen7", "correct Horse 4 battery"])
def test_a_password_that_keeps_every_rule_is_accepted(password: str) -> None:
    assert messages(password) == []


def test_every_broken_rule_is_named() -> None:
    assert messages("") == [
        "Must be at least 8 characters long",
        "Must contain an upper-case letter",
        "Must contain a lower-case letter",
        "Must contain a digit",
    ]


@pytest.mark.parametrize(
    ("password", "message"),
    [
        ("Zqcvmk1", "Must be at least 8 characters long"),
        ("Ab1" + "x" * 126, "Must be at most 128 characters long"),
        ("no-upper-4-me", "Must contain an upper-case letter"),
        ("NO-LOWER-4-ME", "Must contain a lower-case letter"),
        ("No-Digit-For-Me", "Must contain a digit"),
        ("Password123", "Must not be a commonly used password"),
        ("P@ssw0rd", "Must not be a commonly used password"),
    ],
)
def test_one_broken_rule_is_the_only_one_named(password: str, message: str) -> None:
    assert messages(password) == [message]


def test_the_bounds_themselves_are_allowed() -> None:
    assert messages("Abcdefg7") == []
    assert messages("Ab7" + "x" * 125) == []


def test_length_is_counted_in_characters_not_bytes() -> None:
    assert messages("Aä7" + "ö" * 125) == []


def test_a_huge_password_is_refused_without_reading_it_all() -> None:
    assert "Must be at most 128 characters long" in messages("Ab1" * 10_000_000)


def test_rules_can_be_switched_off_as_nist_would_have_it() -> None:
    nist = PasswordPolicy(min_length=15, upper=False, lower=False, digit=False)

    assert messages("only lower case words", nist) == []
    assert messages("fourteen chars", nist) == ["Must be at least 15 characters long"]


@pytest.mark.parametrize("known", ["QWERTY123", "password1", "Passw0rd", "iloveyou", "letmein"])
def test_well_known_passwords_are_found_in_any_case(known: str) -> None:
    assert is_well_known(known)
    assert is_well_known(known.upper())


def test_others_are_not_well_known() -> None:
    assert not any(is_well_known(f"Analytical-Engine-{year}") for year in range(1800, 2000))
    assert not is_well_known("")


def test_the_file_of_well_known_passwords_is_long_and_sorted() -> None:
    content = resources.files("auth_service.domain").joinpath(FILE).read_bytes()
    marks = [content[place : place + 6] for place in range(0, len(content), 6)]

    assert len(marks) > 40_000
    assert marks == sorted(set(marks))


def test_a_list_is_compiled_to_what_is_looked_up() -> None:
    assert compiled(["b", "a", "A", ""]) == compiled(["a", "b"])
    assert len(compiled(["a", "b"])) == 12


def test_what_can_be_a_password_can_be_tried() -> None:
    assert PasswordPolicy().max_length <= MAX_GUESS
