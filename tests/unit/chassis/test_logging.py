import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from chassis.telemetry import tracing
from chassis.telemetry.logging import MASK, configure_logging, get_logger, mask_text, masked

TOKEN = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Iterator[pytest.CaptureFixture[str]]:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    configure_logging("DEBUG", json=True)
    yield capsys
    tracing.adopt("", "")
    root.handlers[:], root.level = before
    structlog.reset_defaults()


def last(lines: pytest.CaptureFixture[str]) -> dict[str, object]:
    line: dict[str, object] = json.loads(lines.readouterr().out.splitlines()[-1])
    return line


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "new_password",
        "access_token",
        "refresh_token",
        "Authorization",
        "client_secret",
        "api_key",
        "key",
        "otp",
        "cookie",
        "private_key",
    ],
)
def test_fields_named_like_secrets_are_masked(name: str) -> None:
    assert masked(name, "hunter2") == MASK


@pytest.mark.parametrize("name", ["user", "keyboard", "monkey", "token_type", "idempotency_key"])
def test_other_fields_are_not(name: str) -> None:
    assert masked(name, "visible") == "visible"


@pytest.mark.parametrize(
    "text",
    [TOKEN, f"Bearer {TOKEN}", "sk_live_abcdef", "Bearer opaque-token", "amqp://u:hunter2@h/v"],
)
def test_secrets_inside_texts_are_masked(text: str) -> None:
    shown = mask_text(f"before {text} after")
    assert shown.startswith("before ")
    assert shown.endswith(" after")
    assert MASK in shown
    assert "hunter2" not in shown
    assert "abcdef" not in shown
    assert "opaque-token" not in shown


def test_mail_addresses_keep_their_first_letters_only() -> None:
    assert mask_text("to anna@example.com now") == "to a***@e*** now"


def test_nested_values_are_masked_too() -> None:
    assert masked("body", {"user": {"password": "x", "mails": ["bob@example.com"]}}) == {
        "user": {"password": MASK, "mails": ["b***@e***"]}
    }


def test_values_nested_without_end_are_cut_off() -> None:
    endless: list[object] = []
    endless.append(endless)
    assert MASK in repr(masked("loop", endless))


@given(st.recursive(st.text() | st.integers() | st.none(), lambda inner: st.lists(inner)))
def test_masking_never_fails(value: object) -> None:
    masked("anything", value)


def test_a_line_is_json_with_an_event_and_fields(lines: pytest.CaptureFixture[str]) -> None:
    get_logger("part").info("user_registered", user="u1", email="anna@example.com")
    line = last(lines)
    assert line["event"] == "user_registered"
    assert line["level"] == "info"
    assert line["component"] == "part"
    assert line["email"] == "a***@e***"
    assert "timestamp" in line


def test_the_request_and_the_trace_are_on_every_line(lines: pytest.CaptureFixture[str]) -> None:
    traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    tracing.adopt("req-1", traceparent)
    get_logger("part").info("something")
    line = last(lines)
    assert (line["request_id"], line["trace_id"]) == ("req-1", traceparent[3:35])


def test_tracebacks_are_masked(lines: pytest.CaptureFixture[str]) -> None:
    try:
        raise ValueError(f"cannot read {TOKEN}")
    except ValueError:
        get_logger("part").exception("failed")
    line = last(lines)
    assert "ValueError" in str(line["exception"])
    assert TOKEN not in str(line)


def test_lines_of_libraries_are_masked_too(lines: pytest.CaptureFixture[str]) -> None:
    logging.getLogger("some.library").warning("sent to %s", "anna@example.com")
    line = last(lines)
    assert line["event"] == "sent to a***@e***"


def test_less_than_the_level_is_not_written(lines: pytest.CaptureFixture[str]) -> None:
    configure_logging("WARNING", json=True)
    structlog.get_logger().info("quiet")
    assert lines.readouterr().out == ""
