"""Attack 12: guessing and spraying, from one place and from many, in other spellings, all at once."""

import asyncio
import itertools
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.account_client import Visitor, registered, visitor
from tests.support.mailbox import SETTINGS
from tests.support.suite import Suite, started

PER_ACCOUNT, PER_ADDRESS, PER_NETWORK, PER_TENANT = 5, 12, 30, 60
LIMITS = {
    **SETTINGS,
    "AUTOWORKER_LOGIN_FAILURES_PER_ACCOUNT": str(PER_ACCOUNT),
    "AUTOWORKER_LOGIN_FAILURES_PER_ADDRESS": str(PER_ADDRESS),
    "AUTOWORKER_LOGIN_FAILURES_PER_NETWORK": str(PER_NETWORK),
    "AUTOWORKER_LOGIN_FAILURES_PER_TENANT": str(PER_TENANT),
    # Long: nothing is forgotten while a test runs.
    "AUTOWORKER_LOGIN_FAILURES_WINDOW": "86400",
}
PROXY = {"AUTOWORKER_TRUSTED_PROXIES": "127.0.0.1"}
WRONG = "Wrong-Password-1"
_NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def exposed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    """A suite that strangers reach directly; here they all have the address of this machine."""
    more = {
        f"AUTOWORKER_LOGIN_FAILURES_PER_{where}": "10000"
        for where in ("ADDRESS", "NETWORK", "TENANT")
    }
    with started(tmp_path_factory.mktemp("exposed"), **{**LIMITS, **more}) as running:
        yield running


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    """A suite behind a proxy that says where requests come from."""
    with started(tmp_path_factory.mktemp("proxied"), **LIMITS, **PROXY) as running:
        yield running


@pytest.fixture
def untouched(tmp_path: Path) -> Iterator[Suite]:
    """Another one, where nobody has failed yet."""
    with started(tmp_path, **LIMITS, **PROXY) as running:
        yield running


def by_way_of(address: str) -> dict[str, str]:
    return {"X-Forwarded-For": address}


async def guess(who: Visitor, email: str, **headers: str) -> int:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return (await who.login(email, WRONG, headers=named))[0]


async def test_made_up_addresses_gain_nothing(exposed: Suite) -> None:
    async with visitor(exposed.url) as mallory:
        await registered(mallory, "ada@example.com")
        mallory.token = ""
        # From here on the owner is logged in at the same address, which has a count of its own.
        statuses = [
            await guess(
                mallory,
                "ada@example.com",
                X_Forwarded_For=f"198.51.{number}.7",
                Forwarded=f"for=203.0.113.{number}",
                X_Real_IP=f"192.0.2.{number}",
            )
            for number in range(PER_ACCOUNT + 3)
        ]

        assert statuses == [401] * PER_ACCOUNT + [429] * 3
        status, answer = await mallory.login("ada@example.com", WRONG)
        assert (status, answer["error"]["code"]) == (429, "RATE_LIMITED")


async def test_other_spellings_share_the_count(exposed: Suite) -> None:
    spellings = (
        "Bob@Example.com",
        "BOB@EXAMPLE.COM",
        " bob@example.com ",
        "\uff22ob@example.com",
        "bo\uff42@example.com",
        "bob@example.com",
    )
    async with visitor(exposed.url) as mallory:
        statuses = [await guess(mallory, spelling) for spelling in spellings]

        assert statuses == [401] * PER_ACCOUNT + [429]


async def test_a_burst_gains_nothing(exposed: Suite) -> None:
    async with visitor(exposed.url) as mallory:
        statuses = Counter(
            await asyncio.gather(*(guess(mallory, "eve@example.com") for _ in range(40)))
        )

        assert statuses == {401: PER_ACCOUNT, 429: 40 - PER_ACCOUNT}
        # The control: another account is not held back by it.
        assert await guess(mallory, "somebody-else@example.com") == 401


async def test_the_owner_is_not_locked_out(proxied: Suite) -> None:
    home, thief = by_way_of("192.0.2.7"), by_way_of("203.0.113.66")
    async with visitor(proxied.url, X_Forwarded_For="192.0.2.7") as owner:
        await registered(owner, "owner@example.com")
    async with visitor(proxied.url) as mallory:
        for _ in range(PER_ACCOUNT):
            assert (await mallory.login("owner@example.com", WRONG, headers=thief))[0] == 401
        assert (await mallory.login("owner@example.com", WRONG, headers=thief))[0] == 429
        # Even the right password does not help a stranger now, from wherever.
        elsewhere = by_way_of("198.51.100.1")
        assert (await mallory.login("owner@example.com", headers=elsewhere))[0] == 429

        assert (await mallory.login("owner@example.com", headers=home))[0] == 200


async def test_spraying_is_held_back_by_address_network_and_tenant(untouched: Suite) -> None:
    async with visitor(untouched.url, X_Forwarded_For="192.0.2.7") as owner:
        await registered(owner, "owner@example.com")

    async with visitor(untouched.url) as mallory:

        async def spray(addresses: list[str]) -> list[int]:
            return [
                (
                    await mallory.login(
                        f"user-{next(_NUMBERS)}@example.com", WRONG, headers=by_way_of(address)
                    )
                )[0]
                for address in addresses
            ]

        one = await spray(["203.0.113.1"] * (PER_ADDRESS + 1))
        assert one == [401] * PER_ADDRESS + [429]
        # What is refused is not counted again: the network has borne one address so far.
        more = await spray([f"203.0.113.{n % 200 + 2}" for n in range(PER_NETWORK)])
        assert more.count(401) == PER_NETWORK - PER_ADDRESS
        assert more[-1] == 429
        many = await spray([f"10.{n}.0.1" for n in range(PER_TENANT)])
        assert many.count(401) == PER_TENANT - PER_NETWORK
        assert many[-1] == 429

        # Who is logged in from there already is not held back by any of it.
        assert (await mallory.login("owner@example.com", headers=by_way_of("192.0.2.7")))[0] == 200


async def test_an_address_of_ipv6_is_a_whole_subscriber(proxied: Suite) -> None:
    async with visitor(proxied.url) as mallory:
        statuses = [
            (
                await mallory.login(
                    f"user-{next(_NUMBERS)}@example.com",
                    WRONG,
                    headers=by_way_of(f"2001:db8:1:2::{number:x}"),
                )
            )[0]
            for number in range(1, PER_ADDRESS + 2)
        ]

        assert statuses == [401] * PER_ADDRESS + [429]
