"""What every store forgets of somebody who is erased."""

from collections.abc import Collection, Mapping

from auth_service.adapters.mongo.stores import MongoStores
from auth_service.application.ports.accounts import Ending, Erasure
from auth_service.application.ports.oauth import Outcome
from auth_service.bootstrap.stores import Stores
from auth_service.domain.session import RevocationReason
from auth_service.domain.user import User
from tests.contract.auth_service.conftest import LIFE, NOW, Maker
from tests.contract.auth_service.mfa_maker import MfaMaker
from tests.contract.auth_service.oauth_maker import OAuthMaker, kept_client

TOLD = {"outbox", "revocation_feed"}
"""What others are told goes on saying whom it is about, by their id."""


async def contents(stores: Stores | MongoStores) -> Mapping[str, str]:
    """All that is kept, as text, by table or collection."""
    if isinstance(stores, MongoStores):
        names = await stores.database.driver.list_collection_names()
        found = {name: await stores.database.collection(name).find().to_list() for name in names}
        return {name: str(documents) for name, documents in found.items()}

    return await stores.database.read(
        lambda connection: {
            name: str(connection.execute(f'SELECT * FROM "{name}"').fetchall())  # noqa: S608
            for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        }
    )


async def where(stores: Stores | MongoStores, traces: Collection[str]) -> set[str]:
    """Where any of *traces* is."""
    kept = await contents(stores)
    return {name for name, text in kept.items() if any(each in text for each in traces)} - TOLD


async def prove_twice(stores: Stores, mfa: MfaMaker) -> None:
    """Everything of second factors."""
    await mfa.enrolled(stores)
    await stores.mfa.recovery.replace(mfa.user.id, [b"1"], NOW)
    await stores.mfa.challenges.add(mfa.challenge())
    await stores.mfa.sent.put(mfa.sent(b"tag"))
    await stores.mfa.devices.add(mfa.device(b"d" * 32))


async def let_in(stores: Stores, oauth: OAuthMaker) -> Collection[str]:
    """A login in a browser, and a client that got something there; the sessions of both."""
    client = await kept_client(stores, oauth)
    session = oauth.session("browser")
    browser = oauth.browser(session.id)
    await stores.oauth.browsers.open(browser, session, before=b"", ending=oauth.ending())
    pending = oauth.pending(client.id, browser.digest)
    await stores.oauth.requests.add(pending)
    opened = oauth.opened(client.id, session.id)
    outcome = Outcome(opened=opened, granted=oauth.granted(client.id))
    assert await stores.oauth.requests.finish(pending, outcome, consent=["openid"], now=NOW)
    return session.id, opened.session.id


async def test_nothing_of_an_erased_user_stays(stores: Stores, make: Maker, ada: User) -> None:
    await prove_twice(stores, MfaMaker(make.ids, ada))
    traces = [ada.id, *await let_in(stores, OAuthMaker(ada, make.ids))]
    before = await where(stores, traces)

    ending = Ending(make.ids.new(), RevocationReason.LOGOUT, NOW, NOW + LIFE)
    await stores.accounts.erase(Erasure(ada, ending, (), ()))

    assert before >= {"users", "sessions", "refresh_tokens", "oauth_consents", "mfa_factors"}
    assert await where(stores, traces) == set()
