"""Somebody in front of a browser, who goes by what stands on the page."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web
from playwright.async_api import Page, expect

from tests.support.oauth_browser import Person

PATIENCE: Final = 30.0


@dataclass(slots=True)
class Callback:
    """The client's address to come back to."""

    url: str = ""
    visits: asyncio.Queue[str] = field(default_factory=asyncio.Queue)

    async def serve(self, request: web.Request) -> web.Response:
        """Note who comes back with what."""
        self.visits.put_nowait(str(request.url))
        return web.Response(text="Thank you.")

    async def visited(self) -> str:
        """The address that the browser came back to."""
        async with asyncio.timeout(PATIENCE):
            return await self.visits.get()


@dataclass(frozen=True, slots=True)
class Visitor:
    """Finds fields by their labels and buttons by their names, as a screen reader tells them."""

    page: Page

    async def go(self, url: str) -> None:
        """Open *url*."""
        await self.page.goto(url)

    async def sign_in(self, person: Person, password: str | None = None) -> None:
        """Fill in the login page and send it, with the keyboard alone."""
        await self.page.get_by_label("E-mail address").fill(person.email)
        await self.page.keyboard.press("Tab")
        await self.page.keyboard.type(password or person.password)
        await self.page.keyboard.press("Enter")

    async def enter_code(self, code: str, *, remember: bool = False) -> None:
        """Fill in the page that asks for a second factor, and send it."""
        await self.page.get_by_label("Code").fill(code)
        if remember:
            await self.page.get_by_label("Do not ask on this device").check()
        await self.press("Continue")

    async def press(self, button: str) -> None:
        """Press the button called *button*."""
        await self.page.get_by_role("button", name=button, exact=True).click()

    async def sees(self, heading: str) -> None:
        """Wait for the page with *heading*."""
        await expect(self.page.get_by_role("heading", level=1)).to_have_text(heading)

    async def alert(self) -> str:
        """What the page complains about."""
        return await self.page.get_by_role("alert").inner_text()
