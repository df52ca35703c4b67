"""An authenticator app, and a provider of text messages, for tests against a real clock."""

import asyncio
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import msgspec
import pyotp

from tests.e2e.attacks.raw import Answer, Raw

STEP = 30
_SOON = 6
"""Seconds that a request may take."""
_SIX = re.compile(r"\b[0-9]{6}\b")


@dataclass(slots=True)
class App:
    """Makes codes that are good now and were not used yet.

    Codes of the step before and behind are good too, so three come at once; then it waits.
    """

    secret: str
    used: int = -1

    async def code(self) -> str:
        """The oldest code that is good and fresh, and stays good for some seconds."""
        while (step := max(self.used + 1, self._oldest())) > self._now() + 1:  # noqa: ASYNC110
            await asyncio.sleep(0.2)
        self.used = step
        return self.at(step)

    def at(self, step: int) -> str:
        """The code of *step*."""
        return pyotp.TOTP(self.secret).at(step * STEP)

    def _oldest(self) -> int:
        return self._now() - (1 if STEP - time.time() % STEP > _SOON else 0)

    @staticmethod
    def _now() -> int:
        return int(time.time()) // STEP


@dataclass(slots=True)
class Texts:
    """What was sent by text message: numbers and texts."""

    url: str
    sent: list[tuple[str, str]] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)

    def code(self) -> str:
        """The code in the last one."""
        found = _SIX.search(self.sent[-1][1])
        assert found is not None
        return found.group()


@contextmanager
def texts(status: int = 202) -> Iterator[Texts]:
    """A provider that takes messages, and answers with *status*."""

    class Taker(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            message = msgspec.json.decode(body)
            taken.sent.append((message["to"], message["text"]))
            taken.tokens.add(self.headers.get("Authorization", ""))
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", taken.url)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Taker)
    taken = Texts(f"http://127.0.0.1:{server.server_address[1]}/messages")
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield taken
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


async def post(api: Raw, path: str, body: object) -> Answer:
    """POST *body* as JSON."""
    return await api("POST", path, msgspec.json.encode(body), Content_Type="application/json")


async def enrol_app(api: Raw) -> tuple[App, list[str]]:
    """An app whose codes count from now on, and the recovery codes."""
    made = await post(api, "/v1/users/me/factors/totp", {})
    assert made.status == 201, made.body
    app = App(made.json["secret"])
    confirmed = await post(api, "/v1/users/me/factors/totp/confirm", {"code": await app.code()})
    assert confirmed.status == 200, confirmed.body
    return app, confirmed.json["recovery_codes"]


def details(answer: Answer) -> dict[str, str]:
    """The details of an error, by field."""
    return {each["field"]: each["message"] for each in answer.json["error"]["details"]}
