"""CloudEvents as HTTP carries them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from chassis.errors import Invalid
from gateway.routes.cloud_events import batch, binary, structured

HEAD: dict[str, Any] = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t"}
HEADERS = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/s", "ce-type": "t"}


def encoded(**members: Any) -> bytes:
    return msgspec.json.encode(HEAD | members)


@pytest.mark.parametrize(
    ("members", "data", "media_type"),
    [
        ({}, b"", ""),
        ({"data": {"a": 1}}, b'{"a":1}', "application/json"),
        ({"data": "hello"}, b'"hello"', "application/json"),
        ({"data": "hello", "datacontenttype": "text/plain"}, b"hello", "text/plain"),
        (
            {"data": "hello", "datacontenttype": "application/x+json"},
            b'"hello"',
            "application/x+json",
        ),
        ({"data": [1], "datacontenttype": "text/plain"}, b"[1]", "text/plain"),
        ({"data_base64": "iVBORw==", "datacontenttype": "image/png"}, b"\x89PNG", "image/png"),
    ],
)
def test_data_are_what_their_media_type_says(
    members: dict[str, Any], data: bytes, media_type: str
) -> None:
    event = structured(encoded(**members))

    assert (event.data, event.data_content_type) == (data, media_type)


def test_attributes_and_extensions_are_read_from_json() -> None:
    event = structured(encoded(subject="s", room=3, open=True, time="2026-01-15T12:00:00Z"))

    assert (event.id, event.source, event.type, event.subject) == ("1", "/s", "t", "s")
    assert event.extensions == {"room": "3", "open": "true"}
    assert event.time is not None
    assert event.time.isoformat() == "2026-01-15T12:00:00+00:00"


def test_attributes_are_read_from_headers_and_data_from_the_body() -> None:
    more = {"ce-subject": "a%20b", "ce-room": "3", "Content-Type": "text/plain"}

    event = binary(HEADERS | more, b"hello")

    assert (event.subject, event.data, event.data_content_type) == ("a b", b"hello", "text/plain")
    assert event.extensions == {"room": "3"}


def test_a_batch_is_read_in_order() -> None:
    events = batch(msgspec.json.encode([HEAD | {"id": "1"}, HEAD | {"id": "2"}]))

    assert [event.id for event in events] == ["1", "2"]


@pytest.mark.parametrize("members", [{"id": ""}, {"specversion": "0.3"}, {"data_base64": "?"}])
def test_what_is_no_cloud_event_is_refused(members: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        structured(encoded(**members))


def test_a_batch_may_be_empty() -> None:
    assert not batch(b"[]")
