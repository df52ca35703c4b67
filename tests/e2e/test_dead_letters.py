"""What was given up can be seen, offered again and discarded."""

from collections.abc import AsyncIterator, Iterator

import pytest

from autoworker import Client, NotFound, PermissionDenied
from autoworker.dead_letters import DeadLetter
from tests.support.gateway_client import eventually, signed_up
from tests.support.ports import free_port
from tests.support.suite import Suite, command_line, started


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    """One whose mail server is never there, and that gives up at once."""
    with started(
        tmp_path_factory.mktemp("suite"),
        AUTOWORKER_SMTP_URL=f"smtp://127.0.0.1:{free_port()}",
        AUTOWORKER_SMTP_FROM="no-reply@example.org",
        AUTOWORKER_SMTP_MAX_ATTEMPTS="1",
    ) as running:
        yield running


@pytest.fixture
async def admin(suite: Suite) -> AsyncIterator[Client]:
    known = suite.administrator
    async with Client(suite.url, email=known.email, password=known.password) as client:
        yield client


async def letters_of(admin: Client, count: int) -> list[DeadLetter]:
    found: list[DeadLetter] = []

    async def attempt() -> bool:
        found[:] = [letter async for letter in admin.dead_letters(kind="delivery")]
        return len([letter for letter in found if letter.type == "delivery.email"]) >= count

    await eventually(attempt, f"{count} dead letters")
    return [letter for letter in found if letter.type == "delivery.email"]


async def test_a_mail_that_never_arrived_is_a_dead_letter_and_is_tried_again(
    suite: Suite, admin: Client
) -> None:
    async with signed_up(suite.url, "Ada") as ada:
        with pytest.raises(PermissionDenied):
            _ = [letter async for letter in ada.dead_letters()]
    letter, *_ = await letters_of(admin, 1)
    shown = await admin.dead_letter(letter.id)
    assert (shown.kind, shown.service, shown.times) == ("delivery", "notification", 1)
    assert isinstance(shown.payload, dict)
    assert shown.payload["notification_id"] == letter.about

    dry = await admin.redrive([letter.id], dry_run=True)
    assert dry.redriven == [letter.id]
    assert (await admin.dead_letter(letter.id)).times == 1

    done = await admin.redrive([letter.id])
    assert (done.redriven, done.failed) == ([letter.id], [])

    async def buried_again() -> bool:
        try:
            return (await admin.dead_letter(letter.id)).last_at != letter.last_at
        except NotFound:
            return False

    await eventually(buried_again, "giving it up again")
    await admin.discard_dead_letter(letter.id)
    with pytest.raises(NotFound):
        await admin.dead_letter(letter.id)


async def test_the_command_line_lists_shows_and_offers_them_again(
    suite: Suite, admin: Client
) -> None:
    async with signed_up(suite.url, "Bob"):
        letter, *_ = await letters_of(admin, 1)
    listed = command_line(suite.folder, "dead-letters", "list", "--kind", "delivery")
    shown = command_line(suite.folder, "dead-letters", "show", letter.id)
    dry = command_line(
        suite.folder, "dead-letters", "redrive", "--all", "--kind", "delivery", "--dry-run"
    )
    vague = command_line(suite.folder, "dead-letters", "redrive")
    gone = command_line(suite.folder, "dead-letters", "discard", letter.id)

    assert letter.id in listed.stdout
    assert letter.about in shown.stdout
    assert f"{letter.id}\twould be offered again" in dry.stdout
    assert (vague.returncode, "--all" in vague.stderr) == (1, True)
    assert gone.stdout == f"{letter.id} is discarded.\n"
