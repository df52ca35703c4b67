"""What an expression does with secrets, told before it runs."""

from __future__ import annotations

import pytest

from workflow_service.domain.expressions import Expressions, Lending

EXPRESSIONS = Expressions()


def lending(source: str) -> Lending | None:
    """What is known of *source*."""
    return EXPRESSIONS.compile(source, {"secrets", "input"}).lending


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("$secrets.shop", {"shop"}),
        ('$secrets["my-shop"].password', {"my-shop"}),
        ('"Bearer " + $secrets.token', {"token"}),
        ('"\\($secrets.a):\\($secrets.b)"', {"a", "b"}),
        ("{a: $secrets.a, b: [.x, $secrets.b.c]}", {"a", "b"}),
        ("if .live then $secrets.live else $secrets.test end", {"live", "test"}),
        ("$secrets.a // $secrets.b", {"a", "b"}),
        ("$secrets.shop != null", {"shop"}),
        ('$secrets.shop | has("password")', {"shop"}),
        ('$secrets.hosts | join(",")', {"hosts"}),
        ("$secrets.shop | .password | @uri", {"shop"}),
    ],
)
def test_passing_on_and_joining_is_fine(source: str, names: set[str]) -> None:
    assert lending(source) == Lending(frozenset(names))


@pytest.mark.parametrize("source", ["$secrets", "$secrets[.name]", "[$secrets[]]"])
def test_what_may_read_any_needs_all(source: str) -> None:
    assert lending(source) == Lending(None)


@pytest.mark.parametrize(
    ("source", "by"),
    [
        ("$secrets.a | @base64", "@base64"),
        ('"\\($secrets.a):\\($secrets.b)" | @base64', "@base64"),
        ("$secrets.a | length", "length"),
        ("$secrets.a == .given", "=="),
        ('$secrets.a | split(":") | .[0]', "split"),
        ("if $secrets.a then 1 else 2 end", "if"),
        ("{a: ($secrets.port | tonumber)}", "tonumber"),
        ("[1, $secrets.a] | map(. * 2)", "*"),
    ],
)
def test_computing_with_one_is_seen(source: str, by: str) -> None:
    found = lending(source)

    assert found is not None
    assert found.computed_by == by


@pytest.mark.parametrize("source", [".secrets.a | @base64", "$input.a | length", '"$secrets.a"'])
def test_what_reads_no_secret_is_left_alone(source: str) -> None:
    assert lending(source) is None
