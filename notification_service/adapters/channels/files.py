"""Mail as files in a folder: for trying things out on a laptop, in INSECURE_DEV mode only."""

import asyncio
from pathlib import Path

from chassis.drafts import draft
from notification_service.adapters.channels.mail import Sender, mail_of
from notification_service.application.ports import Letter
from notification_service.domain.delivery import Accepted, ChannelName, Deferred, Outcome, Refused


class FolderChannel:
    """Implements `Channel`: each letter becomes one `.eml` file, readable by its owner only."""

    def __init__(self, folder: Path, sender: Sender) -> None:
        self._folder = folder
        self._sender = sender

    @property
    def name(self) -> ChannelName:
        """See `Channel.name`."""
        return ChannelName.EMAIL

    async def send(self, letter: Letter) -> Outcome:
        """See `Channel.send`."""
        try:
            content = mail_of(letter, self._sender).as_bytes()
        except ValueError as exc:
            return Refused(f"No mail can be made of it: {exc}")
        try:
            await asyncio.to_thread(self._write, letter, content)
        except OSError as exc:
            return Deferred(f"The file cannot be written: {exc.strerror}")
        return Accepted()

    def _write(self, letter: Letter, content: bytes) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        moment = letter.written_at.strftime("%Y%m%dT%H%M%S")
        path = self._folder / f"{moment}-{letter.notification_id}.eml"
        draft(path, content).replace(path)
