"""The mails that a suite on a laptop writes into its data directory."""

import re
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

from tests.support.gateway_client import eventually

SETTINGS = {
    "AUTOWORKER_INSECURE_DEV": "1",
    "AUTOWORKER_AUTH_RATE_LIMIT": "100000/60",
    "AUTOWORKER_ANONYMOUS_RATE_LIMIT": "100000/60",
    "AUTOWORKER_MAILS_PER_ADDRESS": "100000",
    "AUTOWORKER_MAILS_PER_NETWORK": "100000",
    "AUTOWORKER_MAILS_PER_TENANT": "100000",
}
_TOKEN = re.compile(r"^[A-Za-z0-9_-]{43}$", re.MULTILINE)
_LINK = re.compile(r"^https?://\S+$", re.MULTILINE)


class Mailbox:
    """The mails of one suite."""

    def __init__(self, data: Path) -> None:
        self._folder = data / "mails"

    def to(self, address: str, subject: str = "") -> list[EmailMessage]:
        """Those that went to *address* so far, oldest first; with *subject*, of this kind only."""
        found = []
        for path in sorted(self._folder.glob("*.eml")):
            mail = message_from_bytes(path.read_bytes(), policy=default)
            assert isinstance(mail, EmailMessage)
            if mail["To"] == address and subject in mail["Subject"]:
                found.append(mail)
        return sorted(found, key=lambda mail: mail["Date"].datetime)

    async def arrived(self, address: str, subject: str, *, number: int = 1) -> str:
        """The text of the last of *number* such mails, once they are there."""

        async def here() -> bool:
            return len(self.to(address, subject)) >= number

        await eventually(here, f"the mail {subject!r} to {address}")
        part = self.to(address, subject)[-1].get_body(("plain",))
        assert part is not None
        return "\n".join(str(part.get_content()).splitlines())

    async def token(self, address: str, subject: str, *, number: int = 1) -> str:
        """The token in that mail."""
        found = _TOKEN.search(await self.arrived(address, subject, number=number))
        assert found is not None
        return found[0]

    async def link(self, address: str, subject: str, *, number: int = 1) -> str:
        """The address in that mail which is to be followed."""
        found = _LINK.search(await self.arrived(address, subject, number=number))
        assert found is not None
        return found[0]
