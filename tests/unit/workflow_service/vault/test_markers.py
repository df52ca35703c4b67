"""Markers stand for secrets, prove it, and mean nothing anywhere else."""

from __future__ import annotations

import re
from urllib.parse import quote

import msgspec

from workflow_service.domain.secret_markers import Leaf, Markers, masked_json, masked_text

KEY = b"k" * 32
MINE = Markers(KEY, "e1")
VALUES: dict[tuple[str, tuple[str | int, ...]], str] = {
    ("shop", ()): "s3cr3t",
    ("db", ("password",)): "hunter22",
}


def replaced(text: str, markers: Markers = MINE) -> str:
    """The text, as the callee gets it."""
    return markers.replaced(text, lambda leaf, _: VALUES[leaf.secret, leaf.path])


def text_of(secret: str, markers: Markers = MINE) -> str:
    """The marker of a secret that is one text."""
    marker = markers.of(secret, "x")
    assert isinstance(marker, str)
    return marker


def test_a_marker_is_replaced_alone_joined_and_repeated() -> None:
    marker = text_of("shop")

    assert replaced(marker) == "s3cr3t"
    assert replaced(f"Bearer {marker}; {marker}.") == "Bearer s3cr3t; s3cr3t."
    assert replaced(marker + marker) == "s3cr3ts3cr3t"


def test_the_structure_of_a_secret_is_kept_and_its_leaves_are_not() -> None:
    shown = MINE.of("db", {"user": "ada", "hosts": ["a", "b"]})

    assert isinstance(shown, dict)
    assert list(shown) == ["user", "hosts"]
    assert "ada" not in str(shown)
    leaves: list[Leaf] = []

    def noted(leaf: Leaf, _: int) -> str:
        leaves.append(leaf)
        return ""

    MINE.replaced(str(shown), noted)
    assert leaves == [Leaf("db", ("user",)), Leaf("db", ("hosts", 0)), Leaf("db", ("hosts", 1))]


def test_uris_json_and_html_leave_a_marker_as_it_is() -> None:
    marker = text_of("shop")

    assert quote(marker, safe="") == marker
    assert msgspec.json.encode(marker).decode() == f'"{marker}"'
    assert re.fullmatch(r"[A-Za-z0-9._~-]+", marker)


def test_a_marker_of_another_execution_or_key_is_text() -> None:
    for other in (Markers(KEY, "e2"), Markers(b"x" * 32, "e1")):
        marker = text_of("shop", other)
        assert replaced(marker) == marker


def test_a_marker_cannot_be_made_up_or_changed() -> None:
    marker = text_of("shop")
    payload, mac = marker[len("~aw-secret.") : -1].split(".")
    other = text_of("db")[len("~aw-secret.") : -1].split(".")[0]

    for forged in (
        f"~aw-secret.{other}.{mac}~",
        f"~aw-secret.{payload}.{'A' * 22}~",
        f"~aw-secret.{payload}.{mac[:-1]}~",
        "~aw-secret.AAAA.AAAAAAAAAAAAAAAAAAAAAA~",
    ):
        assert replaced(forged) == forged


def test_people_see_stars() -> None:
    marker = text_of("shop")

    assert masked_text(f"Bearer {marker}") == "Bearer ***"
    assert masked_json(msgspec.json.encode({"a": [marker]})) == b'{"a":["***"]}'
    assert masked_text("~aw-secret. is text") == "~aw-secret. is text"
