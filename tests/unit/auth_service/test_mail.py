"""Mails about accounts: sealed while they wait, passed on for as long as it takes."""

from datetime import timedelta

from auth_service.application.ports.mail import MailWay
from auth_service.application.postman import DECOY, Postman
from chassis.crypto.safe import Safe
from chassis.errors import FieldProblem, Invalid, Unavailable
from chassis.ids import RandomIds
from tests.unit.auth_service.fakes import KEYS, Identity

FACTS = {"token": "a-token-that-must-not-lie-about"}


def postman(auth: Identity) -> Postman:
    return Postman(auth.stores.mails, Safe(KEYS, "mail outbox"), auth.clock, RandomIds())


async def send(auth: Identity, template: str = "password-reset") -> None:
    await postman(auth).send("default", "ada@example.com", template, FACTS, user_id="u1")


async def test_a_mail_arrives_as_it_was_written(auth: Identity) -> None:
    await send(auth)

    [letter] = await auth.mailed()

    assert (letter.recipient, letter.template, letter.user_id) == (
        "ada@example.com",
        "password-reset",
        "u1",
    )
    assert letter.facts == FACTS
    assert await auth.mailed() == []


async def test_what_waits_shows_neither_address_nor_token(auth: Identity) -> None:
    await send(auth)

    [kept] = await auth.stores.mails.due(auth.clock.now(), 10)

    assert b"ada@example.com" not in kept.sealed
    assert b"a-token" not in kept.sealed


async def test_a_mail_waits_for_as_long_as_nobody_takes_it(auth: Identity) -> None:
    auth.carrier.failures = [Unavailable("down") for _ in range(5)]
    await send(auth)

    for _ in range(5):
        assert await auth.mailed() == []
        auth.clock.advance(2)

    assert len(await auth.mailed()) == 1


async def test_a_mail_that_nobody_can_write_is_dropped_and_told(auth: Identity) -> None:
    auth.carrier.failures = [Invalid("no", details=[FieldProblem("template", "unknown")])]
    await send(auth)
    await send(auth)

    assert len(await auth.mailed()) == 1
    assert auth.audit.entries[-1][0] == "mail_dropped"
    assert auth.audit.entries[-1][1]["reason"] == "unknown"


async def test_an_expired_mail_is_not_sent(auth: Identity) -> None:
    await send(auth)
    auth.clock.advance(timedelta(days=3).total_seconds())

    assert await auth.mailed() == []
    assert "mail_dropped" in auth.audit.names()


async def test_a_decoy_is_never_sent(auth: Identity) -> None:
    await send(auth, DECOY)

    assert await auth.mailed() == []
    assert await auth.stores.mails.due(auth.clock.now(), 10) == []


async def test_that_there_is_no_mail_server_is_told(auth: Identity) -> None:
    auth.carrier.leaves_by = MailWay.NONE
    await send(auth)

    await auth.mailed()

    assert "mail_waits_for_a_mail_server" in auth.audit.names()
