"""Mails survive notification_service being away, and reach it once it is there."""

import asyncio
from pathlib import Path

from auth_service.adapters.notification_mail import NotificationMail
from auth_service.adapters.sqlite.stores import SqliteStores, sqlite_stores
from auth_service.application.mail_round import MailRound
from auth_service.application.ports.mail import MailWay
from auth_service.application.postman import Postman
from auth_service.entrypoints.mail_relay import relay_mails
from chassis.clock import SystemClock
from chassis.crypto.key_file import WrappingKeys
from chassis.crypto.safe import Safe
from chassis.discovery.static import StaticRegistry
from chassis.ids import RandomIds
from chassis.rpc.client import RpcClient
from chassis.rpc.credentials import ServiceIdentity
from tests.component.notification_service.mail_server import mail_server
from tests.component.notification_service.world import world
from tests.support.time import eventually
from tests.unit.auth_service.fakes import RecordingAudit

CLOCK, IDS = SystemClock(), RandomIds()
SAFE = Safe(WrappingKeys("k1", {"k1": bytes(32)}), "mail outbox")


async def relay(stores: SqliteStores, registry: StaticRegistry, folder: Path) -> None:
    identity = ServiceIdentity.load_or_create(folder / "keys", "auth")
    postman = Postman(stores.mails, SAFE, CLOCK, IDS)
    async with RpcClient(registry, "notification", identity) as client:
        one_round = MailRound(
            stores.mails, postman, NotificationMail(client, CLOCK), RecordingAudit(), CLOCK
        )
        await relay_mails(stores.mails, one_round, pause=0.05)


async def test_a_mail_of_a_bad_hour_arrives_once(tmp_path: Path) -> None:
    registry = StaticRegistry()
    async with mail_server() as mailbox, sqlite_stores(tmp_path / "auth.db") as stores:
        relaying = asyncio.get_running_loop().create_task(relay(stores, registry, tmp_path))
        await Postman(stores.mails, SAFE, CLOCK, IDS).send(
            "default", "ada@example.org", "code", {"code": "123456", "expires": "soon"}
        )
        async with world(tmp_path, smtp=f"smtp://127.0.0.1:{mailbox.port}") as w:
            await registry.register("notification", w.service.rpc_address)
            await eventually(lambda: len(mailbox.mails) == 1, within=30)
            await eventually(lambda: _nothing_left(stores))
        relaying.cancel()
        await asyncio.wait([relaying])

    [mail] = mailbox.mails
    assert mail["Subject"] == "Your login code"
    assert "123456" in str(mail.get_body(("plain",)))


async def test_auth_can_ask_whether_mail_leaves_the_house(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        registry = StaticRegistry({"notification": w.service.rpc_address})
        identity = ServiceIdentity.load_or_create(tmp_path / "keys", "auth")
        async with RpcClient(registry, "notification", identity) as client:
            assert await NotificationMail(client, CLOCK).way() is MailWay.NONE


async def _nothing_left(stores: SqliteStores) -> bool:
    return not await stores.database.read(
        lambda connection: connection.execute("SELECT 1 FROM mail_outbox").fetchone()
    )
