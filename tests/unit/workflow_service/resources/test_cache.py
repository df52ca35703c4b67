"""What is kept of documents that were fetched, and for how long."""

from __future__ import annotations

import hashlib

import pytest

from chassis.caching.memory_cache import MemoryCache
from tests.support.time import ManualClock
from workflow_service.adapters.resources.cache import Documents, Key, freshness
from workflow_service.application.resource_ports import Fetched

KEY: Key = ("t", "https://x.test/", "")
TOLD = {"ETag": '"1"', "Last-Modified": "yesterday", "Cache-Control": "max-age=10"}


def document(content: bytes = b"x") -> Fetched:
    return Fetched(
        content, "text/plain", "https://x.test/", f"sha256:{hashlib.sha256(content).hexdigest()}"
    )


class Shelf:
    """Documents, and their clock."""

    def __init__(self, most_bytes: int = 1_000_000) -> None:
        self.clock = ManualClock()
        self.documents = Documents(MemoryCache(self.clock, most_bytes=most_bytes), 60.0)

    async def keep(self, key: Key, content: bytes = b"x", **headers: str) -> None:
        told = TOLD | {name.replace("_", "-"): value for name, value in headers.items()}
        since = await self.documents.before(key)
        await self.documents.keep(key, document(content), told, since)

    async def is_fresh(self, key: Key = KEY) -> bool:
        return await self.documents.fresh(key) is not None

    async def is_kept(self, key: Key = KEY) -> bool:
        return await self.documents.find(key) is not None


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("", 60.0),
        ("max-age=300", 300.0),
        ("private, max-age=5", 5.0),
        ("max-age=0", 0.0),
        ("no-cache, max-age=300", 0.0),
        ("max-age=soon", 60.0),
        ("max-age=999999999", 86_400.0),
        ("no-store", None),
    ],
)
def test_a_host_says_for_how_long_its_document_is_fresh(told: str, seconds: float | None) -> None:
    assert freshness({"Cache-Control": told}, 60.0) == seconds


def test_the_time_that_an_answer_spent_on_its_way_counts() -> None:
    assert freshness({"Cache-Control": "max-age=300", "Age": "120"}, 60.0) == 180.0
    assert freshness({"Cache-Control": "max-age=300", "Age": "999"}, 60.0) == 0.0


async def test_a_document_is_asked_for_only_if_it_has_changed() -> None:
    shelf = Shelf()
    await shelf.keep(KEY)
    shelf.clock.advance(11)
    found = await shelf.documents.find(KEY)

    assert not await shelf.is_fresh()
    assert found is not None
    assert found.conditions == {"If-None-Match": '"1"', "If-Modified-Since": "yesterday"}


async def test_what_may_not_be_stored_takes_what_was_stored_with_it() -> None:
    shelf = Shelf()
    await shelf.keep(KEY)
    await shelf.keep(KEY, Cache_Control="no-store")

    assert not await shelf.is_kept()
    assert not await shelf.is_fresh()


async def test_what_must_be_asked_about_each_time_takes_the_mark_of_what_was_fresh() -> None:
    shelf = Shelf()
    await shelf.keep(KEY)
    await shelf.keep(KEY, Cache_Control="no-cache")
    found = await shelf.documents.find(KEY)

    assert not await shelf.is_fresh()
    assert found is not None
    assert not found.patient


async def test_who_asks_anew_asks_about_every_credential_of_one_tenant_and_address() -> None:
    shelf = Shelf()
    keys: list[Key] = [KEY, ("t", KEY[1], "c"), ("u", KEY[1], ""), ("t", "https://y.test/", "")]
    for key in keys:
        await shelf.keep(key)

    await shelf.documents.ask_anew("t", frozenset({KEY[1]}))

    assert [await shelf.is_fresh(key) for key in keys] == [False, False, True, True]
    # What was there is still good for asking, and while the host does not work.
    assert [await shelf.is_kept(key) for key in keys] == [True] * 4


async def test_an_answer_that_was_asked_for_before_does_not_count_as_fresh() -> None:
    shelf = Shelf()
    since = await shelf.documents.before(KEY)
    await shelf.documents.ask_anew("t", frozenset({KEY[1]}))
    await shelf.documents.keep(KEY, document(), TOLD, since)

    assert not await shelf.is_fresh()


async def test_a_mark_is_good_for_the_document_that_it_was_made_for_only() -> None:
    shelf, other = Shelf(), Shelf()
    await shelf.keep(KEY, b"new")
    await other.keep(KEY, b"old")
    name = "\n".join(("document", KEY[0], KEY[2], KEY[1]))
    old = await other.documents.cache.get(name)
    assert old is not None
    # Somebody slow writes what it was told long ago.
    await shelf.documents.cache.set(name, old, 100)

    assert not await shelf.is_fresh()


async def test_what_was_not_used_for_longest_makes_room() -> None:
    shelf = Shelf(most_bytes=4_000)
    keys: list[Key] = [("t", f"https://{name}.test/", "") for name in "abcd"]
    for key in keys[:3]:
        await shelf.keep(key, b"x" * 1_000)
    _ = await shelf.documents.fresh(keys[0])

    await shelf.keep(keys[3], b"x" * 1_000)
    await shelf.keep(("t", "https://large.test/", ""), b"x" * 5_000)

    assert [await shelf.is_fresh(key) for key in keys] == [True, False, True, True]
