"""What every store of sessions and places must know of where users are logged in."""

from datetime import timedelta

from auth_service.application.ports.accounts import KnownPlaces, PageKey, Place, SeenPlace
from auth_service.bootstrap.stores import Stores
from auth_service.domain.user import User
from tests.contract.auth_service.account_maker import SECOND, fact, mail
from tests.contract.auth_service.conftest import NOW, Maker

HOME, PHONE = Place("network", "192.0.2.0/24"), Place("device", "Firefox on Android")


async def test_who_was_never_seen_is_new_everywhere(stores: Stores, ada: User) -> None:
    assert await stores.places.known(ada.id, (HOME,)) == KnownPlaces(any=False)


async def test_a_place_is_known_from_the_first_time_on(stores: Stores, ada: User) -> None:
    await stores.places.remember(ada.id, (HOME,), NOW, (fact(ada),), (mail(),))
    await stores.places.remember(ada.id, (HOME,), NOW + SECOND)

    known = await stores.places.known(ada.id, (HOME, PHONE))

    assert known == KnownPlaces(any=True, known=frozenset({HOME}), latest_at=NOW + SECOND)
    assert await stores.places.all(ada.id) == [SeenPlace(HOME, NOW, NOW + SECOND)]
    assert await stores.mails.due(NOW, 10) == [mail()]
    assert (await stores.log.read_log(0, 10))[-1][1].id == "f1"


async def test_nobody_has_the_places_of_somebody_else(stores: Stores, ada: User) -> None:
    await stores.places.remember(ada.id, (HOME,), NOW)

    assert (await stores.places.known("bob", (HOME,))).any is False


async def test_the_oldest_places_are_forgotten(stores: Stores, ada: User) -> None:
    for number in range(101):
        place = Place("network", f"10.{number}.0.0/24")
        await stores.places.remember(ada.id, (place,), NOW + number * SECOND)

    seen = await stores.places.all(ada.id)

    assert len(seen) == 100
    assert seen[0].place.value == "10.1.0.0/24"


async def test_places_nobody_was_at_for_long_are_dropped(stores: Stores, ada: User) -> None:
    await stores.places.remember(ada.id, (HOME,), NOW)

    await stores.accounts.purge(NOW + timedelta(days=181))

    assert await stores.places.all(ada.id) == []


async def test_sessions_are_listed_newest_first(stores: Stores, make: Maker, ada: User) -> None:
    made = [make.session(ada) for _ in range(3)]
    for session in made:
        await stores.sessions.open(session, make.grant())
    await stores.sessions.revoke(make.revoked(made[1]), forget_at=NOW)

    page = await stores.session_list.page(ada.tenant, ada.id, NOW, None, 10)

    assert [record.id for record in page] == [made[2].id, made[0].id]
    assert page[0].address == "198.51.100.7"
    after = PageKey(page[0].created_at, page[0].id)
    rest = await stores.session_list.page(ada.tenant, ada.id, NOW, after, 10)
    assert [record.id for record in rest] == [made[0].id]
    assert await stores.session_list.page("elsewhere", ada.id, NOW, None, 10) == []


async def test_a_session_was_last_seen_when_it_was_noted(
    stores: Stores, make: Maker, ada: User
) -> None:
    session = make.session(ada)
    await stores.sessions.open(session, make.grant())

    await stores.session_list.seen({session.id: NOW + 5 * SECOND, "nobody": NOW})
    await stores.session_list.seen({session.id: NOW + 2 * SECOND})

    [record] = await stores.session_list.page(ada.tenant, ada.id, NOW, None, 10)
    assert record.last_seen_at == NOW + 5 * SECOND
