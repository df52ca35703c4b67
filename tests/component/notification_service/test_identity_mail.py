"""Mail about accounts, from auth_service's call to a real mail server."""

import contextlib
import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from chassis.discovery.static import StaticRegistry
from chassis.errors import Invalid, PermissionDenied, Unauthenticated
from chassis.rpc.client import RpcClient
from chassis.rpc.credentials import ServiceIdentity
from protos.notification.v1 import mail_pb2 as pb
from protos.notification.v1.mail_pb2_grpc import MailServiceStub
from tests.component.notification_service.mail_server import mail_server
from tests.component.notification_service.world import World, world
from tests.support.time import eventually

if TYPE_CHECKING:
    from protos.notification.v1.mail_pb2_grpc import MailServiceAsyncStub

TOKEN = "a-token-that-must-not-lie-about"


@contextlib.asynccontextmanager
async def called_by(service: str, w: World, folder: Path) -> AsyncIterator[RpcClient]:
    registry = StaticRegistry({"notification": w.service.rpc_address})
    identity = ServiceIdentity.load_or_create(folder / "keys", service)
    async with RpcClient(registry, "notification", identity) as client:
        yield client


def request(
    id_: str = "m1", *, recipient: str = "alice@example.org", seconds: float = 600
) -> pb.SendMailRequest:
    asked = pb.SendMailRequest(
        id=id_,
        tenant="default",
        user_id="alice",
        recipient=recipient,
        template="password-reset",
        facts={"token": TOKEN, "expires": "soon"},
    )
    asked.expires_at.FromDatetime(datetime.now(UTC) + timedelta(seconds=seconds))
    return asked


async def send(client: RpcClient, asked: pb.SendMailRequest, token: str | None = None) -> int:
    stub: MailServiceAsyncStub = MailServiceStub(client.channel)
    return (await client.call(stub.SendMail, asked, token=token)).way


def kept(folder: Path) -> bytes:
    """Everything that a thief of the store would have."""
    return b"".join(path.read_bytes() for path in folder.glob("notification.db*"))


async def test_a_mail_goes_out_once_however_often_it_is_asked_for(tmp_path: Path) -> None:
    async with (
        mail_server("451 later", "451 later") as mailbox,
        world(tmp_path, smtp=f"smtp://127.0.0.1:{mailbox.port}") as w,
        called_by("auth", w, tmp_path) as auth,
    ):
        assert await send(auth, request()) == pb.MAIL_WAY_SMTP
        assert await send(auth, request()) == pb.MAIL_WAY_SMTP
        await eventually(lambda: len(mailbox.mails) == 1)
        await eventually(lambda: _wiped(tmp_path))
        assert await send(auth, request()) == pb.MAIL_WAY_SMTP
        await send(auth, request("m2"))
        await eventually(lambda: len(mailbox.mails) == 2)

    first, second = mailbox.mails
    assert first["To"] == "alice@example.org"
    assert TOKEN in str(first.get_body(("plain",)))
    assert first["Message-ID"] != second["Message-ID"]


async def test_a_stolen_store_has_neither_address_nor_token(tmp_path: Path) -> None:
    async with world(tmp_path) as w, called_by("auth", w, tmp_path) as auth:
        await send(auth, request())

    assert kept(tmp_path)
    assert TOKEN.encode() not in kept(tmp_path)
    assert b"alice@example.org" not in kept(tmp_path)


async def test_what_was_accepted_without_a_mail_server_waits_for_one(tmp_path: Path) -> None:
    async with world(tmp_path) as w, called_by("auth", w, tmp_path) as auth:
        assert await send(auth, request()) == pb.MAIL_WAY_NONE
        assert await send(auth, request("stale", seconds=0)) == pb.MAIL_WAY_NONE

    async with (
        mail_server() as mailbox,
        world(tmp_path, smtp=f"smtp://127.0.0.1:{mailbox.port}"),
    ):
        await eventually(lambda: len(mailbox.mails) == 1)
        await eventually(lambda: _wiped(tmp_path))

    assert len(mailbox.mails) == 1


async def test_a_laptop_without_a_mail_server_gets_files(tmp_path: Path) -> None:
    async with (
        world(tmp_path, AUTOWORKER_INSECURE_DEV="1") as w,
        called_by("auth", w, tmp_path) as auth,
    ):
        assert await send(auth, request()) == pb.MAIL_WAY_FILES
        await eventually(lambda: any((tmp_path / "mails").glob("*.eml")))

    [file] = (tmp_path / "mails").glob("*.eml")
    assert TOKEN in file.read_text()
    assert file.stat().st_mode & 0o077 == 0


async def test_a_recipient_with_a_line_break_is_refused(tmp_path: Path) -> None:
    async with world(tmp_path) as w, called_by("auth", w, tmp_path) as auth:
        with pytest.raises(Invalid):
            await send(auth, request(recipient="alice@example.org\r\nBcc: eve@example.org"))


async def test_nobody_but_auth_may_send_mail(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        for service in ("gateway", "workflow"):
            async with called_by(service, w, tmp_path) as client:
                with pytest.raises(PermissionDenied):
                    await send(client, request())
        with pytest.raises((PermissionDenied, Unauthenticated)):
            await send(w.client, request(), token=w.issuer.token("alice"))


def _wiped(folder: Path) -> bool:
    with contextlib.closing(sqlite3.connect(folder / "notification.db")) as connection:
        query = "SELECT count(*) FROM mails WHERE sealed IS NOT NULL"
        (left,) = connection.execute(query).fetchone()
        return bool(left == 0)
