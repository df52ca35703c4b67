"""What makes an e-mail address and a name acceptable."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth_service.domain.user import (
    MAX_EMAIL,
    EmailAddress,
    email_key,
    email_problems,
    name_problems,
    tidy_name,
)

NAUGHTY = Path(__file__).parents[4] / "shared/vectors/blns.json"


@pytest.mark.parametrize(
    "written",
    [
        "ada@example.com",
        "a@b.co",
        "first.last+tag@sub.example.co.uk",
        "o'brien_99@example.museum",
        "admin@autoworker.internal",
        "  padded@example.com\t",
        "jürgen@müller.example",
        "用户@例え.jp",
        "UPPER@EXAMPLE.COM",
    ],
)
def test_an_ordinary_address_is_accepted(written: str) -> None:
    assert email_problems(written) == ()


@pytest.mark.parametrize(
    "written",
    [
        "",
        "   ",
        "ada",
        "@example.com",
        "ada@",
        "ada@localhost",
        "ada@@example.com",
        "a da@example.com",
        "ada@exa mple.com",
        "ada@example..com",
        ".ada@example.com",
        "ada.@example.com",
        "a..da@example.com",
        "ada@-example.com",
        "ada@example-.com",
        "ada@example.com.",
        "ada@192.168.0.1",
        "ada@[192.168.0.1]",
        '"ada lovelace"@example.com',
        "ada<x>@example.com",
        "ada,bob@example.com",
        "ada\x00@example.com",
        "ada\r\nBcc: eve@example.com",
        "ada\u202e@example.com",
        "ada\u200b@example.com",
        "ada\ud800@example.com",
        "x" * 65 + "@example.com",
        "ada@" + "x" * 64 + ".com",
    ],
)
def test_what_is_no_address_is_refused(written: str) -> None:
    assert [problem.field for problem in email_problems(written)] == ["email"]


def test_an_overlong_address_is_refused_unread() -> None:
    (problem,) = email_problems("a@" + "b." * 1_000_000 + "com")

    assert str(MAX_EMAIL) in problem.message


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ada@Example.COM", "ada@example.com"),
        (" ada@example.com ", "ada@example.com"),
        ("\uff41da@example.com", "ada@example.com"),
        ("strasse@example.com", "straße@example.com"),
        ("jürgen@example.com", "ju\u0308rgen@example.com"),
    ],
)
def test_two_spellings_of_one_address_have_one_key(one: str, other: str) -> None:
    assert EmailAddress.of(one).key == EmailAddress.of(other).key


def test_an_ascii_address_is_kept_in_lower_case() -> None:
    assert EmailAddress.of(" Ada@Example.COM").text == "ada@example.com"


def test_folding_never_changes_where_mail_goes() -> None:
    assert EmailAddress.of("Straße@example.com ").text == "Straße@example.com"


@given(st.text(max_size=40))
def test_a_key_is_its_own_key(written: str) -> None:
    assert email_key(email_key(written)) == email_key(written)


@pytest.mark.parametrize("name", ["", "Ada Lovelace", "محمد", "李小龍", "👩‍🚀 Sally", "x" * 100])
def test_a_name_may_be_in_any_script(name: str) -> None:
    assert name_problems(name) == ()


@pytest.mark.parametrize("name", ["x" * 101, "a\x00b", "a\x1b[31m", "a\u202eb", "a\u2028b", "a\nb"])
def test_a_name_that_could_deceive_a_reader_is_refused(name: str) -> None:
    assert [problem.field for problem in name_problems(name)] == ["name"]


def test_space_around_a_name_is_dropped() -> None:
    assert tidy_name("  Ada ") == "Ada"


@pytest.mark.skipif(not NAUGHTY.exists(), reason="the list of naughty strings is not here")
def test_naughty_strings_are_judged_without_failing() -> None:
    for text in json.loads(NAUGHTY.read_text()):
        for address in (text, f"{text}@example.com", f"ada@{text}"):
            email_problems(address)
            EmailAddress.of(address)
        name_problems(tidy_name(text))
