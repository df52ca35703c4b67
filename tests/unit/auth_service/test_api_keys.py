"""API keys: made, used, changed, rotated, ended."""

from dataclasses import replace
from datetime import timedelta

import pytest

from auth_service.application.actor import Actor
from auth_service.application.commands.create_api_key import CreateApiKey
from auth_service.application.commands.delete_api_key import DeleteApiKey
from auth_service.application.commands.purge_expired import PurgeExpired
from auth_service.application.commands.rotate_api_key import RotateApiKey
from auth_service.application.commands.update_api_key import UpdateApiKey
from auth_service.application.ports import RevocationKind
from auth_service.application.queries.exchange_api_key import ExchangeApiKey
from auth_service.application.queries.get_api_keys import GetApiKey, ListApiKeys
from auth_service.config import Settings
from auth_service.domain.api_key import Environment, KeyTerms, made
from auth_service.domain.errors import (
    ApiKeyNotFound,
    ApiKeyRefused,
    InputInvalid,
    PermissionNotHeld,
    RecentAuthenticationNeeded,
    TooManyApiKeys,
    UserNotFound,
    WrongPassword,
)
from tests.unit.auth_service.api_keys import (
    TERMS,
    actor,
    claims,
    exchanged,
    new_key,
    presence,
    rotated,
    told,
)
from tests.unit.auth_service.fakes import Identity, identity


async def test_a_key_acts_for_its_owner_with_its_own_permissions(auth: Identity) -> None:
    user = await auth.register()
    key = await new_key(auth, user)

    said = await claims(auth, key.text.text)

    assert (said["sub"], said["tenant"], said["key_id"]) == (user.id, user.tenant, key.key.id)
    assert said["permissions"] == ["executions:read", "workflows:read"]
    assert (said["environment"], said["aud"]) == ("live", "svc:workflow")
    assert "sid" not in said
    assert (await exchanged(auth, key.text.text)).expires_in == 60
    assert (await auth.announced())[-1] == "io.autoworker.auth.api-key-created.v1"


async def test_a_key_for_tests_says_so(auth: Identity) -> None:
    user = await auth.register()
    key = await new_key(auth, user, environment=Environment.TEST)

    assert key.text.text.startswith("sk_test_")
    assert (await claims(auth, key.text.text))["environment"] == "test"


@pytest.mark.parametrize("wanted", ["users:write", "api-keys:write", "nothing:known"])
async def test_nobody_gives_a_key_what_is_not_theirs(auth: Identity, wanted: str) -> None:
    user = await auth.register()

    with pytest.raises(PermissionNotHeld) as refused:
        await new_key(auth, user, replace(TERMS, permissions=("executions:read", wanted)))

    assert [each.message for each in refused.value.details] == [f"Not yours to give: {wanted}"]


async def test_a_narrow_token_makes_narrow_keys(auth: Identity) -> None:
    user = await auth.register()
    narrow = Actor(user.tenant, user.id, frozenset({"executions:read"}))

    with pytest.raises(PermissionNotHeld):
        await auth.app.api_keys.create(
            CreateApiKey(narrow, presence(user), Environment.LIVE, TERMS)
        )


async def test_somebody_who_is_gone_makes_no_keys(auth: Identity) -> None:
    user = await auth.register()
    nobody = Actor("default", "nobody", frozenset(TERMS.permissions))

    with pytest.raises(UserNotFound):
        await auth.app.api_keys.create(
            CreateApiKey(nobody, presence(user), Environment.LIVE, TERMS)
        )


async def test_terms_that_make_no_sense_are_refused(auth: Identity) -> None:
    user = await auth.register()
    key = await new_key(auth, user)

    with pytest.raises(InputInvalid):
        await new_key(auth, user, replace(TERMS, rate_limit=0))
    with pytest.raises(InputInvalid):
        await auth.app.api_keys.update(
            UpdateApiKey(actor(user), presence(user), key.key.id, name="")
        )
    with pytest.raises(InputInvalid):
        await auth.app.api_keys.rotate(
            RotateApiKey(actor(user), presence(user), key.key.id, timedelta(days=31))
        )
    with pytest.raises(InputInvalid):
        await auth.app.api_keys.exchange(
            ExchangeApiKey(key.text.text, "svc:moon", "svc:gateway", "")
        )


async def test_a_stolen_session_makes_changes_and_renews_no_keys(auth: Identity) -> None:
    user = await auth.register()
    key = await new_key(auth, user)
    away, wrong = presence(user, None), presence(user, "guessed")
    keys, ada = auth.app.api_keys, actor(user)

    for at, refusal in ((away, RecentAuthenticationNeeded), (wrong, WrongPassword)):
        with pytest.raises(refusal):
            await keys.create(CreateApiKey(ada, at, Environment.LIVE, TERMS))
        with pytest.raises(refusal):
            await keys.update(UpdateApiKey(ada, at, key.key.id, name="mine"))
        with pytest.raises(refusal):
            await keys.rotate(RotateApiKey(ada, at, key.key.id, timedelta(0)))
    assert list((await keys.list(ListApiKeys(user.tenant, user.id, 9, None))).items) == [key.key]
    assert (await exchanged(auth, key.text.text)).token


async def test_keys_that_were_never_given_out_are_refused_alike(auth: Identity) -> None:
    user = await auth.register()
    key = await new_key(auth, user)
    same_prefix = made(Environment.LIVE, b"\0" * 8, b"\1" * 32).text
    wrong = [same_prefix, "sk_live_x", "", key.text.prefix, key.text.text + "0"]

    messages = set()
    for text in wrong:
        with pytest.raises(ApiKeyRefused) as refused:
            await exchanged(auth, text)
        messages.add(refused.value.message)

    assert messages == {"The API key is not valid"}
    assert auth.audit.names().count("api_key_refused") == len(wrong)
    assert (await exchanged(auth, key.text.text)).key.id == key.key.id


async def test_a_key_ends_with_its_time(auth: Identity) -> None:
    user = await auth.register()
    ends = auth.clock.now() + timedelta(seconds=90)
    key = await new_key(auth, user, replace(TERMS, expires_at=ends))

    auth.clock.advance(80)
    assert (await exchanged(auth, key.text.text)).expires_in == 10
    auth.clock.advance(10)
    with pytest.raises(ApiKeyRefused):
        await exchanged(auth, key.text.text)


async def test_two_texts_are_good_while_a_key_is_rotated(auth: Identity) -> None:
    user = await auth.register()
    key = await new_key(auth, user)
    second = await rotated(auth, user, key.key.id)

    assert (await exchanged(auth, key.text.text)).key.id == key.key.id
    assert (await exchanged(auth, second)).key.prefix == second[: len(key.text.prefix)]
    assert told_of(await told(auth), key.key.id)
    assert (await auth.announced())[-1] == "io.autoworker.auth.api-key-rotated.v1"

    auth.clock.advance(3600)
    with pytest.raises(ApiKeyRefused):
        await exchanged(auth, key.text.text)
    assert (await exchanged(auth, second)).key.id == key.key.id


async def test_a_third_text_ends_the_first_at_once(auth: Identity) -> None:
    user = await auth.register()
    key = await new_key(auth, user)
    second = await rotated(auth, user, key.key.id)
    third = await rotated(auth, user, key.key.id)

    with pytest.raises(ApiKeyRefused):
        await exchanged(auth, key.text.text)
    assert (await exchanged(auth, second)).token
    assert (await exchanged(auth, third)).token


async def test_without_an_overlap_the_old_text_ends_at_once(auth: Identity) -> None:
    user = await auth.register()
    key = await new_key(auth, user)
    second = await rotated(auth, user, key.key.id, hours=0)

    with pytest.raises(ApiKeyRefused):
        await exchanged(auth, key.text.text)
    assert (await exchanged(auth, second)).token


async def test_terms_are_changed_one_by_one(auth: Identity) -> None:
    user = await auth.register()
    terms = KeyTerms("ci", ("executions:read",), 5, ("192.0.2.0/24",), None)
    key = await new_key(auth, user, terms)

    await auth.app.api_keys.update(
        UpdateApiKey(actor(user), presence(user), key.key.id, rate_limit=None)
    )
    changed = await auth.app.api_keys.update(
        UpdateApiKey(
            actor(user), presence(user), key.key.id, name="cd", permissions=("workflows:read",)
        )
    )

    assert changed.terms == KeyTerms("cd", ("workflows:read",), None, ("192.0.2.0/24",), None)
    assert (await claims(auth, key.text.text))["permissions"] == ["workflows:read"]
    assert (RevocationKind.KEY, key.key.id) in await told(auth)
    with pytest.raises(PermissionNotHeld):
        await auth.app.api_keys.update(
            UpdateApiKey(actor(user), presence(user), key.key.id, permissions=("users:write",))
        )


async def test_a_deleted_key_is_dead_and_everybody_hears_of_it(auth: Identity) -> None:
    user = await auth.register()
    key = await new_key(auth, user)

    await auth.app.api_keys.delete(DeleteApiKey(actor(user), key.key.id, anybodys=False))

    with pytest.raises(ApiKeyRefused):
        await exchanged(auth, key.text.text)
    with pytest.raises(ApiKeyNotFound):
        await auth.app.api_keys.delete(DeleteApiKey(actor(user), key.key.id, anybodys=False))
    assert (RevocationKind.KEY, key.key.id) in await told(auth)
    assert auth.audit.names()[-2:] == ["api_key_deleted", "api_key_refused"]


async def test_other_peoples_keys_do_not_exist(auth: Identity) -> None:
    ada, eve = await auth.register(), await auth.register("eve@example.com")
    key = await new_key(auth, ada)
    keys, as_eve = auth.app.api_keys, actor(eve)

    with pytest.raises(ApiKeyNotFound):
        await keys.get(GetApiKey(eve.tenant, eve.id, key.key.id))
    with pytest.raises(ApiKeyNotFound):
        await keys.update(UpdateApiKey(as_eve, presence(eve), key.key.id, name="mine"))
    with pytest.raises(ApiKeyNotFound):
        await keys.rotate(RotateApiKey(as_eve, presence(eve), key.key.id, timedelta(0)))
    with pytest.raises(ApiKeyNotFound):
        await keys.delete(DeleteApiKey(as_eve, key.key.id, anybodys=False))
    with pytest.raises(ApiKeyNotFound):
        await keys.delete(DeleteApiKey(Actor("other", "a", frozenset()), key.key.id, anybodys=True))
    assert not (await keys.list(ListApiKeys(eve.tenant, eve.id, 10, None))).items
    assert await keys.get(GetApiKey(ada.tenant, ada.id, key.key.id)) == key.key


async def test_administrators_see_and_end_everybodys(auth: Identity) -> None:
    ada, root = await auth.register(), await auth.register("root@example.com")
    key = await new_key(auth, ada)

    page = await auth.app.api_keys.list(ListApiKeys(root.tenant, None, 10, None))
    await auth.app.api_keys.delete(DeleteApiKey(actor(root), key.key.id, anybodys=True))

    assert list(page.items) == [key.key]


async def test_somebody_has_only_so_many_keys() -> None:
    async with identity(Settings(api_keys_per_user=2)) as auth:
        ada, bob = await auth.register(), await auth.register("bob@example.com")
        await new_key(auth, ada)
        await new_key(auth, ada)

        with pytest.raises(TooManyApiKeys, match="AUTOWORKER_API_KEYS_PER_USER"):
            await new_key(auth, ada)
        assert (await new_key(auth, bob)).key.owner == bob.id


async def test_cleaning_up_drops_texts_that_ended_and_keeps_keys(auth: Identity) -> None:
    user = await auth.register()
    key = await new_key(auth, user)
    second = await rotated(auth, user, key.key.id, hours=0)

    await auth.app.commands.purge_expired(PurgeExpired())

    assert await auth.stores.api_keys.find_by_prefix(key.text.prefix) is None
    assert (await exchanged(auth, second)).key.id == key.key.id


def told_of(entries: list[tuple[RevocationKind, str]], key_id: str) -> bool:
    return entries.count((RevocationKind.KEY, key_id)) == 1
