"""The way that the operator chose for mails."""

import ssl

from chassis.errors import CannotStart
from notification_service.adapters.channels.email import EmailChannel, Encryption, Server
from notification_service.adapters.channels.files import FolderChannel
from notification_service.adapters.channels.mail import Sender
from notification_service.application.ports import Channel
from notification_service.config import MailEncryption, MailSettings, Settings
from notification_service.domain.identity_mail import MailWay

_ENCRYPTION = {
    MailEncryption.WHEN_OFFERED: Encryption.WHEN_OFFERED,
    MailEncryption.REQUIRED: Encryption.REQUIRED,
    MailEncryption.IMPLICIT: Encryption.IMPLICIT,
}


def mail_way(settings: Settings) -> MailWay:
    """How mails leave the service."""
    if settings.mail is not None:
        return MailWay.SMTP
    return MailWay.NONE if settings.mail_folder is None else MailWay.FILES


def mail_channel(settings: Settings) -> Channel | None:
    """What sends mails; None: nothing does.

    Raises:
        CannotStart: the certificates of the mail server's authority cannot be read.
    """
    if settings.mail is not None:
        return _smtp(settings.mail)
    if settings.mail_folder is not None:
        return FolderChannel(settings.mail_folder, Sender("Autoworker", "autoworker@localhost"))
    return None


def _smtp(mail: MailSettings) -> EmailChannel:
    server = Server(
        host=mail.host,
        port=mail.port,
        encryption=_ENCRYPTION[mail.encryption],
        username=mail.username,
        password=mail.password,
        timeout=mail.timeout,
    )
    try:
        trust = ssl.create_default_context(cafile=mail.ca_file)
    except OSError as exc:
        raise CannotStart(f"cannot read AUTOWORKER_SMTP_CA_FILE {mail.ca_file}: {exc}") from exc
    return EmailChannel(server, Sender(mail.sender_name, mail.sender_address), trust)
