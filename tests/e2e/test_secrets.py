"""Secrets through the real suite: they go in, and nothing that anybody can read has them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest

from autoworker import Client, InvalidRequest, NotFound, PermissionDenied
from tests.support.gateway_client import Person, signed_up
from tests.support.suite import Suite, command_line

CANARY = "canary-7c1d9e-value"


@pytest.fixture
async def bob(suite: Suite) -> AsyncIterator[Person]:
    async with signed_up(suite.url, "Bob") as person:
        yield person


@pytest.fixture
async def admin(suite: Suite) -> AsyncIterator[Client]:
    known = json.loads((suite.data / "admin.json").read_text())
    async with Client(suite.url, email=known["email"], password=known["password"]) as client:
        yield client


async def test_a_secret_is_set_listed_set_again_and_deleted(ada: Person) -> None:
    first = await ada.set_secret("shop", CANARY)
    second = await ada.set_secret("shop", {"user": "ada", "password": CANARY})

    assert (first.version, second.version) == (1, 2)
    assert [secret async for secret in ada.secrets()] == [second]
    assert await ada.secret("shop") == second

    await ada.delete_secret("shop")
    with pytest.raises(NotFound):
        await ada.secret("shop")
    with pytest.raises(NotFound):
        await ada.delete_secret("shop")


async def test_a_secret_of_somebody_else_is_not_there(ada: Person, bob: Person) -> None:
    await ada.set_secret("mine", CANARY)

    assert [secret async for secret in bob.secrets()] == []
    for attempt in (bob.secret, bob.delete_secret):
        with pytest.raises(NotFound):
            await attempt("mine")
    assert (await bob.set_secret("mine", "another")).version == 1


async def test_only_administrators_share(ada: Person, admin: Client) -> None:
    with pytest.raises(PermissionDenied):
        await ada.set_secret("ours", CANARY, shared=True)
    shared = await admin.set_secret("ours", CANARY, shared=True)

    assert shared.shared
    assert await ada.secret("ours") == shared
    with pytest.raises(PermissionDenied):
        await ada.delete_secret("ours", shared=True)
    await admin.delete_secret("ours", shared=True)


async def test_a_value_that_cannot_be_kept_is_refused_without_being_shown(ada: Person) -> None:
    with pytest.raises(InvalidRequest) as refused:
        await ada.set_secret("shop", {"pin": 718293, "ok": "x"})

    assert [detail.field for detail in refused.value.details] == ["value/pin"]
    assert "718293" not in str(refused.value)
    with pytest.raises(InvalidRequest):
        await ada.set_secret("-shop", "x")
    with pytest.raises(InvalidRequest, match="secret_bytes"):
        await ada.set_secret("shop", "x" * 70_000)


def test_the_command_line_takes_values_from_stdin_and_shows_none(suite: Suite) -> None:
    done = command_line(suite.folder, "secrets", "set", "from-stdin", stdin=CANARY + "\n")
    as_object = command_line(
        suite.folder, "secrets", "set", "both", "--json", stdin=json.dumps({"token": CANARY})
    )
    listed = command_line(suite.folder, "secrets", "list")
    broken = command_line(suite.folder, "secrets", "set", "bad", "--json", stdin=CANARY)
    deleted = command_line(suite.folder, "secrets", "delete", "both")

    assert [each.returncode for each in (done, as_object, listed, broken, deleted)] == [
        0, 0, 0, 1, 0,
    ]  # fmt: skip
    assert "from-stdin" in listed.stdout
    shown = "".join(each.stdout + each.stderr for each in (done, as_object, listed, broken))
    assert CANARY not in shown
