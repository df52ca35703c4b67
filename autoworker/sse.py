"""Reading server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html"""

from collections.abc import AsyncIterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Message:
    """One event of a stream; *id* is the last one that was told."""

    id: str
    event: str
    data: str


class Parser:
    """Turns lines into messages."""

    def __init__(self) -> None:
        self._id = ""
        self._event = ""
        self._data: list[str] = []

    def feed(self, line: str) -> Message | None:
        """Take one line without its end; the message that it completes, if it does."""
        if not line:
            return self._dispatch()
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match name:
            case "data":
                self._data.append(value)
            case "event":
                self._event = value
            case "id" if "\0" not in value:
                self._id = value
            case _:
                pass  # a comment (its name is empty), or something that we do not know
        return None

    def _dispatch(self) -> Message | None:
        event, data = self._event, self._data
        self._event, self._data = "", []
        return Message(self._id, event or "message", "\n".join(data)) if data else None


async def messages(chunks: AsyncIterator[bytes]) -> AsyncIterator[Message]:
    """The messages of a stream as they come; an unfinished last one is dropped."""
    parser, rest = Parser(), b""
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            message = parser.feed(line.removesuffix(b"\r").decode())
            if message is not None:
                yield message
