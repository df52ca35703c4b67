"""What every store of preferences must do."""

from notification_service.domain.notification import Preferences
from tests.contract.notification_service.adapters import Opener, Store
from tests.unit.notification_service.builders import ALICE, BOB


async def test_whoever_has_said_nothing_has_the_defaults(store: Store) -> None:
    assert await store.preferences.get(ALICE) == Preferences(email=True)


async def test_preferences_are_kept_for_one_user_alone(store: Store) -> None:
    await store.preferences.put(ALICE, Preferences(email=False))

    assert await store.preferences.get(ALICE) == Preferences(email=False)
    assert await store.preferences.get(BOB) == Preferences()


async def test_the_last_word_counts(store: Store) -> None:
    await store.preferences.put(ALICE, Preferences(email=False))
    await store.preferences.put(ALICE, Preferences(email=True))

    assert await store.preferences.get(ALICE) == Preferences(email=True)


async def test_preferences_outlive_the_process(reopen: Opener) -> None:
    async with reopen() as store:
        await store.preferences.put(ALICE, Preferences(email=False))

    async with reopen() as store:
        assert await store.preferences.get(ALICE) == Preferences(email=False)
