"""What every store of OAuth must do."""

from datetime import timedelta

import pytest

from auth_service.application.ports import Reused, RevocationTimes
from auth_service.application.ports.oauth import (
    Opened,
    Outcome,
    ServiceAccount,
    Unknown,
)
from auth_service.application.ports.oauth_devices import (
    Denied,
    Expired,
    Poll,
    TooFast,
    Waiting,
)
from auth_service.bootstrap.stores import Stores
from auth_service.domain.errors import ClientNotFound
from auth_service.domain.oauth.grants import Granted
from auth_service.domain.user import User
from tests.contract.auth_service.conftest import NOW, Maker
from tests.contract.auth_service.oauth_maker import LIFE, MINUTE, OAuthMaker, kept_client


@pytest.fixture
def oauth(ada: User, make: Maker) -> OAuthMaker:
    return OAuthMaker(ada, make.ids)


async def test_clients_are_kept_replaced_and_listed_by_tenant(
    stores: Stores, oauth: OAuthMaker
) -> None:
    first, second = await kept_client(stores, oauth), await kept_client(stores, oauth)

    assert await stores.oauth.clients.find(first.id) == first
    assert await stores.oauth.clients.find("nobody") is None
    assert await stores.oauth.clients.page(first.tenant, after="", limit=1) == [first]
    assert await stores.oauth.clients.page(first.tenant, after=first.id, limit=9) == [second]
    assert await stores.oauth.clients.page("other", after="", limit=9) == []
    with pytest.raises(ClientNotFound):
        await stores.oauth.clients.replace(oauth.client(), None, None)


async def test_two_secrets_live_at_once_and_never_three(stores: Stores, oauth: OAuthMaker) -> None:
    client = await kept_client(stores, oauth)
    old = (await stores.oauth.clients.secrets(client.id, NOW))[0]
    second, third = oauth.secret(NOW + MINUTE), oauth.secret(NOW + 2 * MINUTE)

    await stores.oauth.clients.rotate(client, second, old_until=NOW + LIFE)
    both = await stores.oauth.clients.secrets(client.id, NOW + MINUTE)
    await stores.oauth.clients.rotate(client, third, old_until=NOW + LIFE)
    after = await stores.oauth.clients.secrets(client.id, NOW + 3 * MINUTE)
    late = await stores.oauth.clients.secrets(client.id, NOW + LIFE)

    assert [each.digest for each in both] == [old.digest, second.digest]
    assert [each.digest for each in after] == [second.digest, third.digest]
    assert [each.digest for each in late] == [third.digest]


async def test_a_service_account_is_no_user_who_can_log_in(
    stores: Stores, oauth: OAuthMaker
) -> None:
    account = ServiceAccount(oauth.ids.new(), ("user",), oauth.ids.new())
    client = oauth.client(account.user_id)
    await stores.oauth.clients.add(client, oauth.secret(), account)

    live = await stores.sessions.find_live(account.session_id, NOW + timedelta(days=3650))

    assert live is not None
    assert live.user.roles == ("user",)
    found = await stores.users.find_by_email(client.tenant, live.user.email.key)
    assert found is None
    assert await stores.oauth.clients.session_of(client) == account.session_id


async def test_with_a_client_everything_of_it_goes(stores: Stores, oauth: OAuthMaker) -> None:
    account = ServiceAccount(oauth.ids.new(), ("user",), oauth.ids.new())
    client = oauth.client(account.user_id)
    await stores.oauth.clients.add(client, oauth.secret(), account)
    opened = oauth.opened(client.id)
    await stores.oauth.grants.open(opened)

    ended = await stores.oauth.clients.delete(client, oauth.ending())

    assert set(ended) == {opened.session.id, account.session_id}
    assert await stores.oauth.clients.find(client.id) is None
    assert await stores.oauth.clients.secrets(client.id, NOW) == []
    feed = await stores.revocations.after(0, now=NOW, limit=10)
    assert {entry.change.subject for entry in feed} == set(ended)
    log = await stores.log.read_log(0, 10)
    assert len({event.id for _, event in log}) == len(log)


async def test_what_is_gone_gets_no_secret_and_no_session(
    stores: Stores, oauth: OAuthMaker
) -> None:
    client, session = oauth.client(oauth.user.id), oauth.session("client")

    with pytest.raises(ClientNotFound):
        await stores.oauth.clients.rotate(client, oauth.secret(), old_until=NOW + LIFE)
    with pytest.raises(ClientNotFound):
        await stores.oauth.clients.renew_session(client, session, oauth.ending())

    assert await stores.oauth.clients.secrets(client.id, NOW) == []
    assert await stores.sessions.find_live(session.id, NOW) is None


async def test_a_token_of_another_client_is_taken_as_stolen(
    stores: Stores, oauth: OAuthMaker, ada: User
) -> None:
    client, thief = await kept_client(stores, oauth), await kept_client(stores, oauth)
    opened = oauth.opened(client.id)
    await stores.oauth.grants.open(opened)
    assert opened.refresh is not None
    assert await stores.oauth.grants.session_of(opened.refresh.digest, NOW) == opened.session.id

    outcome = await stores.sessions.redeem(
        opened.refresh.digest,
        opened.refresh,
        event_id=oauth.ids.new(),
        times=RevocationTimes(NOW, NOW + MINUTE),
        client_id=thief.id,
    )

    assert outcome == Reused(opened.session.id, ada.id, 1, revoked=True, tenant=ada.tenant)
    assert await stores.oauth.grants.session_of(opened.refresh.digest, NOW) is None


async def test_a_login_moves_requests_to_its_new_cookie_and_ends_the_one_before(
    stores: Stores, oauth: OAuthMaker
) -> None:
    client = await kept_client(stores, oauth)
    before = oauth.digest()
    pending = oauth.pending(client.id, before)
    await stores.oauth.requests.add(pending)
    session = oauth.session("browser")
    browser = oauth.browser(session.id)

    await stores.oauth.browsers.open(browser, session, before=before, ending=oauth.ending())

    assert await stores.oauth.browsers.find(browser.digest, NOW) == browser
    assert await stores.oauth.browsers.find(before, NOW) is None
    moved = await stores.oauth.requests.find(pending.digest, NOW)
    assert moved is not None
    assert moved.browser == browser.digest
    again = oauth.session("browser")
    await stores.oauth.browsers.open(
        oauth.browser(again.id), again, before=browser.digest, ending=oauth.ending()
    )
    assert await stores.oauth.browsers.find(browser.digest, NOW) is None
    assert await stores.sessions.find_live(session.id, NOW) is None


async def test_a_logout_spares_offline_access(stores: Stores, oauth: OAuthMaker) -> None:
    client = await kept_client(stores, oauth)
    session = oauth.session("browser")
    browser = oauth.browser(session.id)
    await stores.oauth.browsers.open(browser, session, before=b"", ending=oauth.ending())
    brief = oauth.opened(client.id, session.id, offline=False)
    lasting = oauth.opened(client.id, session.id)
    await stores.oauth.grants.open(brief)
    await stores.oauth.grants.open(lasting)

    ended = await stores.oauth.browsers.end(browser, oauth.ending())

    assert set(ended) == {session.id, brief.session.id}
    assert await stores.sessions.find_live(lasting.session.id, NOW) is not None


async def test_a_login_whose_session_is_revoked_is_none(stores: Stores, oauth: OAuthMaker) -> None:
    session = oauth.session("browser")
    browser = oauth.browser(session.id)
    await stores.oauth.browsers.open(browser, session, before=b"", ending=oauth.ending())

    await stores.oauth.consents.withdraw(session.user_id, "browser", oauth.ending())

    assert await stores.oauth.browsers.find(browser.digest, NOW) is None


async def test_consent_is_kept_with_the_request_and_withdrawn_with_the_sessions(
    stores: Stores, oauth: OAuthMaker, ada: User
) -> None:
    client = await kept_client(stores, oauth)
    pending = oauth.pending(client.id, b"browser")
    await stores.oauth.requests.add(pending)
    outcome = Outcome(opened=oauth.opened(client.id), granted=oauth.granted(client.id))
    await stores.oauth.requests.finish(pending, outcome, consent=["email", "openid"], now=NOW)

    [given] = await stores.oauth.consents.of(ada.id)
    assert (given.client_name, given.scopes) == ("Desk", ("email", "openid"))
    assert outcome.opened is not None
    ended = await stores.oauth.consents.withdraw(ada.id, client.id, oauth.ending())

    assert ended == [outcome.opened.session.id]
    assert await stores.oauth.consents.find(ada.id, client.id) == ()
    assert await stores.oauth.consents.withdraw(ada.id, client.id, oauth.ending()) is None


async def test_expired_requests_codes_and_pushes_do_not_count(
    stores: Stores, oauth: OAuthMaker
) -> None:
    client = await kept_client(stores, oauth)
    pending, pushed = oauth.pending(client.id, b"browser"), oauth.digest()
    await stores.oauth.requests.add(pending)
    await stores.oauth.requests.push(pushed, client.id, {}, NOW + MINUTE)
    code = oauth.code(client.id)
    other = oauth.pending(client.id, b"browser")
    await stores.oauth.requests.add(other)
    await stores.oauth.requests.finish(other, Outcome(code=code), consent=None, now=NOW)
    late = NOW + timedelta(hours=1)

    assert await stores.oauth.requests.find(pending.digest, late) is None
    assert await stores.oauth.requests.take_pushed(pushed, client.id, late) is None
    assert await stores.oauth.requests.take_pushed(pushed, "other", NOW) is None
    redeemed = await stores.oauth.grants.redeem_code(
        code.digest, oauth.opened(client.id), oauth.ending(late)
    )
    assert redeemed == Unknown()


async def polled(
    stores: Stores, oauth: OAuthMaker, digest: bytes, client_id: str, seconds: float
) -> Poll:
    def opening(granted: Granted) -> Opened:
        return oauth.opened(client_id)

    ending = oauth.ending(NOW + timedelta(seconds=seconds))
    return await stores.oauth.devices.poll(digest, client_id, opening, ending)


async def test_a_device_waits_is_slowed_down_and_expires(stores: Stores, oauth: OAuthMaker) -> None:
    client = await kept_client(stores, oauth)
    grant = oauth.device(client.id)
    assert await stores.oauth.devices.add(grant)
    assert not await stores.oauth.devices.add(grant)
    steps = [(0, Waiting()), (4, TooFast()), (13, TooFast()), (29, Waiting()), (601, Expired())]

    for seconds, expected in steps:
        assert await polled(stores, oauth, grant.digest, client.id, seconds) == expected
    assert await polled(stores, oauth, grant.digest, "other", 1) == Unknown()
    assert await stores.oauth.devices.find(grant.user_code, NOW) == grant
    assert await stores.oauth.devices.find(grant.user_code, NOW + LIFE) is None


async def test_a_device_that_is_denied_stays_denied(stores: Stores, oauth: OAuthMaker) -> None:
    client = await kept_client(stores, oauth)
    grant = oauth.device(client.id)
    await stores.oauth.devices.add(grant)
    pending = oauth.pending(client.id, b"browser", grant.digest)
    await stores.oauth.requests.add(pending)
    await stores.oauth.requests.finish(pending, Outcome(device=grant.digest), consent=None, now=NOW)

    assert await polled(stores, oauth, grant.digest, client.id, 1) == Denied()
    assert await stores.oauth.devices.find(grant.user_code, NOW) is None


async def test_purging_drops_what_has_expired_and_keeps_the_rest(
    stores: Stores, oauth: OAuthMaker
) -> None:
    client = await kept_client(stores, oauth)
    opened = oauth.opened(client.id)
    await stores.oauth.grants.open(opened)
    session = oauth.session("browser")
    browser = oauth.browser(session.id)
    await stores.oauth.browsers.open(browser, session, before=b"", ending=oauth.ending())
    for store in stores.perishables:
        await store.purge(NOW + timedelta(days=2))
    assert await stores.oauth.grants.find(opened.session.id) == opened.granted
    assert await stores.oauth.browsers.find(browser.digest, NOW) == browser

    for store in stores.perishables:
        await store.purge(NOW + 2 * LIFE)

    assert await stores.oauth.grants.find(opened.session.id) is None
    assert await stores.oauth.browsers.find(browser.digest, NOW) is None
    assert await stores.oauth.clients.find(client.id) == client
