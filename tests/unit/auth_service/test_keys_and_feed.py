"""Key rotation, the feed of revocations, the caller's own record, and cleaning up."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import jwt
import pytest

from auth_service.application.commands.purge_expired import PurgeExpired
from auth_service.application.commands.rotate_keys import RotateKeys
from auth_service.application.commands.update_me import UpdateMe
from auth_service.application.ports import Revocation, RevocationKind
from auth_service.application.queries.get_keys import GetKeys
from auth_service.application.queries.get_me import GetMe
from auth_service.application.queries.watch_policies import WatchPolicies, WatchPoliciesHandler
from auth_service.application.queries.watch_revocations import (
    Heartbeat,
    WatchRevocations,
    WatchRevocationsHandler,
)
from auth_service.domain.errors import InputInvalid, SessionOver, UserNotFound
from auth_service.domain.signing_key import KeyUse
from auth_service.domain.user import User
from auth_service.entrypoints.housekeeper import keep_house
from chassis.errors import Unavailable
from tests.support.time import eventually
from tests.unit.auth_service.fakes import Identity, identity

DAY = 24 * 3600


async def kids(auth: Identity, use: KeyUse = KeyUse.ACCESS) -> list[str]:
    document = json.loads(await auth.app.queries.get_keys(GetKeys((use,))))
    return [key["kid"] for key in document["keys"]]


async def logged_in(auth: Identity) -> tuple[User, str]:
    user = await auth.register()
    access = (await auth.login()).access_token
    return user, str(jwt.decode(access, options={"verify_signature": False})["sid"])


async def test_a_key_set_shows_public_halves_only(auth: Identity) -> None:
    document = json.loads(await auth.app.queries.get_keys(GetKeys((KeyUse.ACCESS,))))

    (key,) = document["keys"]
    assert set(key) == {"kty", "crv", "x", "y", "kid", "alg", "use"}
    assert (key["kty"], key["crv"], key["alg"], key["use"]) == ("EC", "P-256", "ES256", "sig")


async def test_access_and_internal_tokens_have_different_keys(auth: Identity) -> None:
    assert set(await kids(auth)).isdisjoint(await kids(auth, KeyUse.INTERNAL))


async def test_rotating_again_makes_no_more_keys(auth: Identity) -> None:
    before = await kids(auth)

    await auth.app.commands.rotate_keys(RotateKeys())

    assert await kids(auth) == before


async def test_tokens_of_a_retired_key_stay_valid(auth: Identity) -> None:
    await auth.register()
    (old,) = await kids(auth)
    auth.clock.advance(30 * DAY - 60)
    await auth.app.commands.rotate_keys(RotateKeys())
    before = await auth.login()
    auth.clock.advance(120)
    after = await auth.login()

    assert jwt.get_unverified_header(before.access_token)["kid"] == old
    assert jwt.get_unverified_header(after.access_token)["kid"] in set(await kids(auth)) - {old}
    assert (await auth.exchange(before.access_token)).token
    assert (await auth.exchange(after.access_token)).token


async def test_expired_keys_are_dropped_and_rotation_goes_on(auth: Identity) -> None:
    (first,) = await kids(auth)
    for _ in range(3):
        auth.clock.advance(31 * DAY)
        await auth.app.commands.rotate_keys(RotateKeys())
        await auth.app.commands.purge_expired(PurgeExpired())

    assert len(await auth.stores.keys.all()) == len(KeyUse)
    assert first not in await kids(auth)


async def test_keys_survive_a_restart(tmp_path: Path) -> None:
    async with identity(path=tmp_path / "auth.db") as before:
        kept = await kids(before)
    async with identity(path=tmp_path / "auth.db") as after:
        assert await kids(after) == kept


async def test_the_feed_first_tells_what_is_still_of_use(auth: Identity) -> None:
    user, session_id = await logged_in(auth)
    await auth.logout(user, session_id)

    async with auth.feed() as feed:
        first, second = await anext(feed), await anext(feed)

    assert isinstance(first, Revocation)
    assert (first.change.kind, first.change.subject) == (RevocationKind.SESSION, session_id)
    assert (first.change.forget_at - auth.clock.now()).total_seconds() == 660
    assert second == Heartbeat()


async def test_the_feed_is_silent_about_what_nobody_needs_any_more(auth: Identity) -> None:
    user, session_id = await logged_in(auth)
    await auth.logout(user, session_id)
    auth.clock.advance(660)

    async with auth.feed() as feed:
        assert await anext(feed) == Heartbeat()


async def test_whoever_watches_does_not_wait_for_what_was_dropped(auth: Identity) -> None:
    user, session = await logged_in(auth)
    await auth.logout(user, session)
    auth.clock.advance(DAY)
    feeds: list[AsyncIterator[object]] = [
        WatchRevocationsHandler(auth.stores.revocations, auth.clock, 60)(WatchRevocations(0)),
        WatchPoliciesHandler(auth.stores.policies, auth.stores.revocations, auth.clock, 60)(
            WatchPolicies()
        ),
    ]
    for feed in feeds:
        assert await anext(feed) == Heartbeat()
        with pytest.raises(TimeoutError):  # nothing comes before the next heartbeat
            await asyncio.wait_for(anext(feed), 0.1)


async def test_the_feed_goes_on_live_from_where_one_was(auth: Identity) -> None:
    user, session_id = await logged_in(auth)
    async with auth.feed() as feed:
        assert await anext(feed) == Heartbeat()
        assert await anext(feed) == Heartbeat()
        await auth.logout(user, session_id)
        seen = await anext(feed)
    assert isinstance(seen, Revocation)

    async with auth.feed(seen.position) as feed:
        assert await anext(feed) == Heartbeat()


async def test_users_see_and_rename_themselves(auth: Identity) -> None:
    user, session_id = await logged_in(auth)

    renamed = await auth.app.commands.update_me(
        UpdateMe(user.tenant, user.id, session_id, " Ada Lovelace ")
    )

    assert renamed.user.name == "Ada Lovelace"
    assert await auth.app.queries.get_me(GetMe(user.tenant, user.id, session_id)) == renamed
    assert (await auth.announced())[-1] == "io.autoworker.auth.user-updated.v1"


@pytest.mark.parametrize("name", [None, ""])
async def test_no_change_is_no_event(auth: Identity, name: str | None) -> None:
    user, session_id = await logged_in(auth)

    same = await auth.app.commands.update_me(UpdateMe(user.tenant, user.id, session_id, name))

    assert same.user == user
    assert len(await auth.announced()) == 1


async def test_a_bad_name_is_refused(auth: Identity) -> None:
    user, session_id = await logged_in(auth)

    with pytest.raises(InputInvalid):
        await auth.app.commands.update_me(UpdateMe(user.tenant, user.id, session_id, "a\x00b"))


async def test_after_logout_even_a_token_that_still_verifies_shows_nothing(auth: Identity) -> None:
    user, session_id = await logged_in(auth)
    await auth.logout(user, session_id)

    with pytest.raises(SessionOver):
        await auth.app.queries.get_me(GetMe(user.tenant, user.id, session_id))
    with pytest.raises(SessionOver):
        await auth.app.commands.update_me(UpdateMe(user.tenant, user.id, session_id, "x"))


async def test_another_tenant_has_no_such_user(auth: Identity) -> None:
    user, session_id = await logged_in(auth)

    with pytest.raises(UserNotFound):
        await auth.app.queries.get_me(GetMe("other", user.id, session_id))


async def test_the_housekeeper_rotates_and_survives_a_store_that_is_away(auth: Identity) -> None:
    rounds: list[str] = []

    async def away(_: RotateKeys) -> None:
        rounds.append("away")
        if len(rounds) == 1:
            raise Unavailable("the store is away")
        await auth.app.commands.rotate_keys(RotateKeys())

    auth.clock.advance(40 * DAY)
    before = await kids(auth)
    commands = replace(auth.app.commands, rotate_keys=away)
    working = asyncio.ensure_future(keep_house(commands, every=0.001))
    await eventually(lambda: len(rounds) >= 3)
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)

    assert await kids(auth) != before
