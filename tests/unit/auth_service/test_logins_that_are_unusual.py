"""Which logins their owner hears of."""

import pytest

from auth_service.domain.device import UNKNOWN, device_of
from auth_service.domain.errors import WrongCredentials
from auth_service.domain.session import Origin
from tests.unit.auth_service.fakes import HOME, Identity

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
ELSEWHERE = Origin("203.0.113.9", HOME.user_agent)
NEXT_DOOR = Origin("198.51.100.200", HOME.user_agent)
PHONE = Origin(HOME.address, "Mozilla/5.0 (Android 15; Mobile) Firefox/140.0")


async def reasons(auth: Identity) -> list[str]:
    """Why the user was warned since the last time."""
    return [each.facts["reason"] for each in await auth.mailed() if each.template == "new-device"]


@pytest.fixture
async def known(auth: Identity) -> Identity:
    """Somebody who has logged in from home an hour ago."""
    await auth.register()
    await auth.login()
    assert await reasons(auth) == []
    auth.clock.advance(3600)
    return auth


@pytest.mark.parametrize("origin", [HOME, NEXT_DOOR])
async def test_a_login_from_where_one_was_is_nothing(known: Identity, origin: Origin) -> None:
    await known.login(origin=origin)

    assert await reasons(known) == []


@pytest.mark.parametrize(
    ("origin", "reason"),
    [
        (ELSEWHERE, "a new network"),
        (PHONE, "a new device"),
        (Origin(ELSEWHERE.address, PHONE.user_agent), "a new device, a new network"),
    ],
)
async def test_a_new_place_is_told_once(known: Identity, origin: Origin, reason: str) -> None:
    await known.login(origin=origin)
    await known.login(origin=origin)

    assert await reasons(known) == [reason]
    assert known.audit.names().count("login_suspicious") == 1
    assert (await known.announced()).count("io.autoworker.auth.login-suspicious.v1") == 1


async def test_another_network_a_moment_later_is_a_jump(known: Identity) -> None:
    # What is known of a place is written down again only now and then.
    known.clock.advance(24 * 3600)
    await known.login()
    known.clock.advance(60)

    await known.login(origin=ELSEWHERE)

    assert await reasons(known) == ["a new network, another network a moment ago"]


async def test_a_success_after_many_failures_is_told(known: Identity) -> None:
    for _ in range(5):
        with pytest.raises(WrongCredentials):
            await known.login(password="Not-The-Password-1")

    await known.login()

    assert await reasons(known) == ["5 failed logins before"]


async def test_a_success_after_a_slip_is_not(known: Identity) -> None:
    with pytest.raises(WrongCredentials):
        await known.login(password="Not-The-Password-1")

    await known.login()

    assert await reasons(known) == []


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (FIREFOX, "Firefox on Linux"),
        (PHONE.user_agent, "Firefox on Android"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit Chrome/130 Safari/537 Edg/130", "Edge on Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) Version/18 Safari/605", "Safari on macOS"),
        ("autoworker/0.1.0 aiohttp Python/3.11", "Autoworker client"),
        ("curl/8.5.0", "curl"),
        ("<script>alert(1)</script>", UNKNOWN),
        ("", UNKNOWN),
    ],
)  # fmt: skip
def test_a_device_is_shown_in_known_words(said: str, shown: str) -> None:
    assert device_of(said) == shown


@pytest.mark.parametrize(
    ("address", "neighbourhood"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2::7", "2001:db8:1::/48"),
        ("::1", "::/48"),
        ("nonsense", "unknown"),
    ],
)
def test_a_neighbourhood_is_what_one_party_may_have(address: str, neighbourhood: str) -> None:
    assert Origin(address).neighbourhood == neighbourhood
