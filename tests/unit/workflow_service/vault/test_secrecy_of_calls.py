"""Values go into calls at the last moment, and answers come back without them."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote, quote_plus

import pytest

from workflow_service.adapters.secrecy.revealing import revealed
from workflow_service.adapters.secrecy.veil import Veil
from workflow_service.application.vault.errors import SecretUnusable
from workflow_service.application.vault.lender import Loan
from workflow_service.domain.execution.effects import (
    BasicCredentials,
    Failed,
    FunctionCall,
    HttpCall,
    Succeeded,
)
from workflow_service.domain.execution.problem import runtime
from workflow_service.domain.expressions import JsonValue
from workflow_service.domain.secret_markers import Markers

MARKERS = Markers(b"k" * 32, "e1")
SECRET = 'pa&ss/w"örd?'
LOAN = Loan(
    MARKERS,
    {"text": SECRET, "shop": {"user": "adalovelace", "uri": "https://a.test/hook/9f3c?x=1"}},
)


def marker(secret: str, *path: str) -> str:
    """A marker of the execution."""
    value: JsonValue = "x"
    for step in reversed(path):
        value = {step: value}
    found = MARKERS.of(secret, value)
    for step in path:
        assert isinstance(found, dict)
        found = found[step]
    assert isinstance(found, str)
    return found


def test_values_stand_wherever_markers_stood() -> None:
    call = HttpCall(
        method="POST",
        uri="https://a.test/",
        headers={"X-Key": f"key {marker('text')}"},
        query={"q": [marker("text"), 1]},
        body={"deep": [{"a": marker("shop", "user")}], "n": 1.5, "none": None},
        credentials=BasicCredentials(marker("shop", "user"), marker("text")),
    )

    assert revealed(call, LOAN) == HttpCall(
        method="POST",
        uri="https://a.test/",
        headers={"X-Key": f"key {SECRET}"},
        query={"q": [SECRET, 1]},
        body={"deep": [{"a": "adalovelace"}], "n": 1.5, "none": None},
        credentials=BasicCredentials("adalovelace", SECRET),
    )


def test_inside_an_address_a_value_is_data() -> None:
    call = HttpCall("GET", f"https://a.test/{marker('text')}/x?k={marker('text')}")

    escaped = quote(SECRET, safe="")
    assert revealed(call, LOAN).uri == f"https://a.test/{escaped}/x?k={escaped}"


def test_a_whole_address_may_be_a_secret() -> None:
    call = HttpCall("GET", marker("shop", "uri"))

    assert revealed(call, LOAN).uri == "https://a.test/hook/9f3c?x=1"


def test_functions_get_values_too() -> None:
    call = FunctionCall("f", {"token": marker("text")}, "t", "ada", "/do/0/f")

    assert revealed(call, LOAN).arguments == {"token": SECRET}


def test_what_only_looks_like_a_marker_is_sent_as_it_is() -> None:
    foreign = Markers(b"k" * 32, "e2").of("text", "x")

    assert revealed(HttpCall("GET", "/", body=foreign), LOAN).body == foreign


@pytest.mark.parametrize(("secret", "path"), [("gone", ()), ("shop", ("gone",)), ("text", ("a",))])
def test_what_is_not_there_any_more_is_told(secret: str, path: tuple[str, ...]) -> None:
    with pytest.raises(SecretUnusable):
        revealed(HttpCall("GET", "/", body=marker(secret, *path)), LOAN)


# ---------------------------------------------------------------- coming back

VEIL = Veil([SECRET, {"user": "adalovelace"}, "short", "73501948"])


@pytest.mark.parametrize(
    "echo",
    [
        SECRET,
        json.dumps(SECRET),
        json.dumps(SECRET, ensure_ascii=False),
        quote(SECRET),
        quote(SECRET, safe="").lower(),
        quote_plus(SECRET),
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(b"x" + SECRET.encode() + b"yz").decode(),
        base64.b64encode(f"adalovelace:{SECRET}".encode()).decode(),
        SECRET.encode().hex(),
        SECRET.encode().hex().upper(),
    ],
)
def test_no_common_spelling_of_a_value_comes_back(echo: str) -> None:
    outputs: tuple[JsonValue, ...] = (echo, {"a": [f"x{echo}y"]}, {echo: 1})
    for output in outputs:
        found = VEIL.over_value(output)
        assert "***" in str(found)
        assert SECRET not in str(found)
        assert echo not in str(found)


def test_numbers_that_are_a_value_are_hidden_and_others_stay() -> None:
    assert VEIL.over_value([73501948, 7350194, 1.5, True, None]) == [
        "***", 7350194, 1.5, True, None,
    ]  # fmt: skip


def test_an_output_without_secrets_comes_back_as_it_is() -> None:
    output: JsonValue = {"a": ["short", {"b": "nothing"}]}

    assert VEIL.over_value(output) is output


def test_problems_are_veiled_and_outcomes_stay_what_they_are() -> None:
    assert VEIL.over(Succeeded("adalovelace")) == Succeeded("***")
    failed = VEIL.over(Failed(runtime(f"cannot reach https://a.test/{quote(SECRET, safe='')}")))
    assert failed == Failed(runtime("cannot reach https://a.test/***"))
