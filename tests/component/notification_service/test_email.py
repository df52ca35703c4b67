"""Events in, mail out, through real SMTP servers of several moods."""

import asyncio
import sys
from collections.abc import Awaitable
from pathlib import Path

import pytest

from tests.component.notification_service.mail_server import (
    PASSWORD,
    USER,
    certificate,
    mail_server,
)
from tests.component.notification_service.world import holds, world
from tests.support.time import eventually


async def test_mail_goes_out_by_starttls_with_login(tmp_path: Path) -> None:
    tls, ca_file = certificate(tmp_path)
    async with mail_server(tls=tls, login=True) as mailbox:
        smtp = f"smtp+starttls://{USER}:{PASSWORD}@127.0.0.1:{mailbox.port}"
        async with world(tmp_path, smtp=smtp, AUTOWORKER_SMTP_CA_FILE=str(ca_file)) as w:
            await w.registered("alice")
            await eventually(holds(w.user("alice").mails, ["delivered"]))
            [told] = await w.user("alice").inbox()

    [mail] = mailbox.mails
    assert mailbox.encrypted == [True]
    assert mailbox.recipients == ["alice@example.org"]
    assert mail["To"] == "Alice <alice@example.org>"
    assert mail["Subject"] == told.title
    assert mail["Message-ID"] == f"<{told.id}@autoworker.example>"
    body = mail.get_body(("plain",))
    assert body is not None
    assert body.get_content().splitlines() == told.body.splitlines()


async def test_tls_is_used_when_it_is_offered(tmp_path: Path) -> None:
    tls, ca_file = certificate(tmp_path)
    async with mail_server(tls=tls) as mailbox:
        smtp = f"smtp://127.0.0.1:{mailbox.port}"
        async with world(tmp_path, smtp=smtp, AUTOWORKER_SMTP_CA_FILE=str(ca_file)) as w:
            await w.registered("alice")
            await eventually(lambda: mailbox.encrypted == [True])


async def test_nothing_is_sent_to_a_server_that_nobody_vouches_for(tmp_path: Path) -> None:
    tls, _ = certificate(tmp_path)
    async with mail_server(tls=tls) as mailbox:
        smtp = f"smtp://127.0.0.1:{mailbox.port}"
        async with world(tmp_path, smtp=smtp, AUTOWORKER_SMTP_MAX_ATTEMPTS="2") as w:
            await w.registered("alice")
            await eventually(holds(w.user("alice").mails, ["retrying", "failed"]))

    assert mailbox.mails == []


async def test_nothing_is_sent_in_the_clear_where_tls_is_required(tmp_path: Path) -> None:
    async with mail_server() as mailbox:
        smtp = f"smtp+starttls://127.0.0.1:{mailbox.port}"
        async with world(tmp_path, smtp=smtp, AUTOWORKER_SMTP_MAX_ATTEMPTS="1") as w:
            await w.registered("alice")
            await eventually(holds(w.user("alice").mails, ["failed"]))

    assert mailbox.mails == []


async def test_a_wrong_password_delays_mail_until_it_is_given_up(tmp_path: Path) -> None:
    tls, ca_file = certificate(tmp_path)
    async with mail_server(tls=tls, login=True) as mailbox:
        smtp = f"smtp+starttls://{USER}:wrong@127.0.0.1:{mailbox.port}"
        more = {"AUTOWORKER_SMTP_CA_FILE": str(ca_file), "AUTOWORKER_SMTP_MAX_ATTEMPTS": "2"}
        async with world(tmp_path, smtp=smtp, **more) as w:
            await w.registered("alice")
            await eventually(holds(w.user("alice").mails, ["retrying", "failed"]))
            newest = (await w.user("alice").deliveries())[0]

    assert "535" in newest.error
    assert "wrong" not in newest.error


async def test_a_busy_server_is_asked_again(tmp_path: Path) -> None:
    async with (
        mail_server("451 later", "451 later") as mailbox,
        world(tmp_path, smtp=f"smtp://127.0.0.1:{mailbox.port}") as w,
    ):
        await w.registered("alice")
        alice = w.user("alice")
        await eventually(holds(alice.mails, ["retrying", "retrying", "delivered"]))
        attempts = [each for each in await alice.deliveries() if each.channel == "email"]

    assert [each.attempt for each in attempts] == [3, 2, 1]
    assert attempts[-1].error == "451 later"
    assert len(mailbox.mails) == 1


async def test_a_final_no_is_taken_for_an_answer(tmp_path: Path) -> None:
    async with (
        mail_server("550 no such user") as mailbox,
        world(tmp_path, smtp=f"smtp://127.0.0.1:{mailbox.port}") as w,
    ):
        await w.registered("alice")
        await w.ended("alice")
        await eventually(lambda: len(mailbox.mails) == 1)
        alice = w.user("alice")
        await eventually(holds(lambda: _sorted(alice.mails()), ["delivered", "failed"]))

    assert mailbox.refused == 1


async def test_whoever_wants_no_mail_gets_none(tmp_path: Path) -> None:
    async with (
        mail_server() as mailbox,
        world(tmp_path, smtp=f"smtp://127.0.0.1:{mailbox.port}") as w,
    ):
        await w.user("alice").want_email(False)
        await w.registered("alice")
        await w.registered("bob", name="Bob")
        await eventually(lambda: len(mailbox.mails) == 1)

        assert mailbox.recipients == ["bob@example.org"]
        assert await w.user("alice").mails() == []
        assert len(await w.user("alice").inbox()) == 1


async def test_mail_follows_a_changed_address(tmp_path: Path) -> None:
    async with (
        mail_server() as mailbox,
        world(tmp_path, smtp=f"smtp://127.0.0.1:{mailbox.port}") as w,
    ):
        await w.registered("alice")
        await eventually(lambda: len(mailbox.mails) == 1)
        await w.updated("alice", name="Alice B.", email="new@example.org")
        await w.ended("alice")
        await eventually(lambda: len(mailbox.mails) == 2)

    assert mailbox.recipients == ["alice@example.org", "new@example.org"]


async def test_mail_that_came_before_its_address_is_sent_after_it(tmp_path: Path) -> None:
    async with (
        mail_server() as mailbox,
        world(tmp_path, smtp=f"smtp://127.0.0.1:{mailbox.port}") as w,
    ):
        await w.ended("alice")
        await eventually(lambda: _has(w.user("alice").mails(), "retrying"))
        await w.registered("alice")
        await eventually(lambda: len(mailbox.mails) == 2)


async def test_a_name_cannot_add_a_header(tmp_path: Path) -> None:
    async with (
        mail_server() as mailbox,
        world(tmp_path, smtp=f"smtp://127.0.0.1:{mailbox.port}") as w,
    ):
        await w.registered("alice", name="Alice\r\nBcc: all@example.org\r\n\r\nowned")
        await eventually(lambda: len(mailbox.mails) == 1)

    [mail] = mailbox.mails
    assert mail["Bcc"] is None
    assert mailbox.recipients == ["alice@example.org"]


@pytest.mark.parametrize("email", ["a@x.org\r\nRCPT TO:<b@x.org>", "a@x.org>\nDATA", "no address"])
async def test_an_address_cannot_add_a_command(tmp_path: Path, email: str) -> None:
    async with (
        mail_server() as mailbox,
        world(tmp_path, smtp=f"smtp://127.0.0.1:{mailbox.port}") as w,
    ):
        await w.registered("mallory", email=email)
        await w.registered("alice")
        await eventually(lambda: len(mailbox.mails) == 1)

        assert len(w.bus.dead_letters) == 1
        assert mailbox.recipients == ["alice@example.org"]


async def test_many_mails_each_go_out_once(tmp_path: Path) -> None:
    async with (
        mail_server(*["451 later"] * 20) as mailbox,
        world(tmp_path, smtp=f"smtp://127.0.0.1:{mailbox.port}") as w,
    ):
        await w.registered("alice")
        await asyncio.gather(*(w.ended("alice") for _ in range(60)))
        await eventually(lambda: len(mailbox.mails) >= 61, within=20)
        sent = {mail["Message-ID"] for mail in mailbox.mails}

    assert len(sent) == len(mailbox.mails) == 61


async def test_what_was_queued_is_sent_after_a_restart(tmp_path: Path) -> None:
    async with world(tmp_path, smtp="smtp://127.0.0.1:1") as w:
        await w.registered("alice")
        await eventually(lambda: _has(w.user("alice").mails(), "retrying"))

    async with (
        mail_server() as mailbox,
        world(tmp_path, smtp=f"smtp://127.0.0.1:{mailbox.port}") as w,
    ):
        await eventually(lambda: len(mailbox.mails) == 1)
        await eventually(lambda: _has(w.user("alice").mails(), "delivered"))


async def test_what_was_queued_survives_a_kill(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.component.notification_service.victim",
        str(tmp_path),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    async with asyncio.timeout(30):
        while (await process.stdout.readline()).strip() != b"queued":
            assert process.returncode is None
        process.kill()
        await process.communicate()

    async with (
        mail_server() as mailbox,
        world(tmp_path, smtp=f"smtp://127.0.0.1:{mailbox.port}") as w,
    ):
        await w.registered("alice", id_="the-one")
        await eventually(lambda: len(mailbox.mails) == 1)
        [told] = await w.user("alice").inbox()

    assert mailbox.mails[0]["Message-ID"] == f"<{told.id}@autoworker.example>"


async def _has(statuses: Awaitable[list[str]], status: str) -> bool:
    return status in await statuses


async def _sorted(statuses: Awaitable[list[str]]) -> list[str]:
    return sorted(await statuses)
