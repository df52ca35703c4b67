"""Attack 18: workflows that call what only the suite can reach. Nothing may arrive, and nothing be learned."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence

import pytest

from autoworker import Execution
from tests.e2e.attacks.canary import REPLY, Canary, listening
from tests.e2e.attacks.spellings import urls
from tests.support.gateway_client import Person, signed_up
from tests.support.suite import Suite, started

FETCH = """
document: {dsl: 1.0.3, namespace: attacks, name: fetch, version: 1.0.0}
do:
  - fetch:
      call: http
      with: {method: get, endpoint: {uri: "${ .url }"}, redirect: true}
"""
REFUSED = ("authorization", 403)
NOT_SENT = {REFUSED, ("configuration", 400), ("expression", 400), ("validation", 400)}
"""What is no URL at all is told as such."""


@pytest.fixture
async def canary() -> AsyncIterator[Canary]:
    async with listening() as canary:
        yield canary


@pytest.fixture(scope="module")
def admitting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    """A suite that may call this machine: all that is refused there is refused for its own sake."""
    folder = tmp_path_factory.mktemp("admitting")
    with started(folder, AUTOWORKER_EGRESS_ALLOW="127.0.0.1, ::1, localhost") as running:
        yield running


async def outcomes(person: Person, targets: Sequence[str]) -> dict[str, Execution]:
    """What became of a call to each of *targets*."""
    definition = await person.publish(FETCH)
    turns = asyncio.Semaphore(16)

    async def call(url: str) -> tuple[str, Execution]:
        async with turns:
            return url, await person.start(definition.reference, {"url": url}, wait=30)

    return dict(await asyncio.gather(*map(call, targets)))


def kind(execution: Execution) -> tuple[str, int]:
    """The last word of the error's type, and its status."""
    assert execution.error is not None, execution.output
    return execution.error.type.rpartition("/")[2], execution.error.status


async def test_no_spelling_of_a_place_inside_is_called(ada: Person, canary: Canary) -> None:
    ends = await outcomes(ada, urls(canary.port))

    wrong = {url: kind(end) for url, end in ends.items() if kind(end) not in NOT_SENT}
    # A name that means nothing here never was an address.
    wrong = {url: found for url, found in wrong.items() if not nameless(url, ends[url])}
    assert wrong == {}
    assert canary.hits == []
    assert len(ends) > 400
    assert sum(kind(end) == REFUSED for end in ends.values()) > 400
    # Whether something listens there or not: the words are the same.
    assert (
        len({str(end.error.detail) for end in ends.values() if end.error and kind(end) == REFUSED})
        == 1
    )


def nameless(url: str, end: Execution) -> bool:
    """Whether *url* has a name that could not be resolved, which says nothing about this machine."""
    unresolved = end.error is not None and "could not be resolved" in str(end.error.detail)
    return unresolved and any(word in url for word in ("ip6-", "example.com", "localhost"))


async def test_what_is_admitted_is_called(admitting: Suite, canary: Canary) -> None:
    async with signed_up(admitting.url) as person:
        targets = [
            f"http://{host}:{canary.port}/" for host in ("127.0.0.1", "0x7f000001", "localhost")
        ]
        ends = await outcomes(person, targets)

    assert [end.output for end in ends.values()] == [REPLY] * 3
    assert len(canary.hits) == 3


async def test_its_own_services_are_never_called_even_if_all_around_is_admitted(
    admitting: Suite, canary: Canary
) -> None:
    doors = [admitting.url.removeprefix("http://")]
    doors += [*admitting.run.services.values(), *admitting.run.admin.values()]
    targets = [
        f"http://{host}:{door.rpartition(':')[2]}/metrics"
        for door in doors
        for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "[::]")
    ]
    async with signed_up(admitting.url) as person:
        ends = await outcomes(person, targets)

    assert {url: kind(end) for url, end in ends.items()} == dict.fromkeys(targets, REFUSED)
    assert len(doors) == 8


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_leads_nowhere_that_a_call_could_not_go(
    admitting: Suite, canary: Canary, status: int
) -> None:
    inside = [
        f"http://10.0.0.1:{canary.port}/", "http://169.254.169.254/latest/meta-data/",
        f"{admitting.url}/healthz", f"//127.0.0.2:{canary.port}/", "file:///etc/passwd",
        f"http://[64:ff9b::7f00:1]:{canary.port}/",
    ]  # fmt: skip
    async with signed_up(admitting.url) as person:
        for target in inside:
            before = len(canary.hits)
            canary.answer = (
                f"HTTP/1.1 {status} Elsewhere\r\nLocation: {target}\r\nConnection: close\r\n"
                "Content-Length: 0\r\n\r\n"
            ).encode()
            url = f"http://127.0.0.1:{canary.port}/"
            ends = await outcomes(person, [url])
            assert kind(ends[url]) == REFUSED
            assert len(canary.hits) == before + 1


async def test_nothing_of_a_refused_target_is_told(ada: Person, canary: Canary) -> None:
    url = f"http://127.0.0.1:{canary.port}/"
    end = (await outcomes(ada, [url]))[url]

    history = [event async for event in ada.history(end.id)]

    assert REPLY not in str(history)
    assert end.error is not None
    assert "127.0.0.1" not in str(end.error)
    assert canary.hits == []
