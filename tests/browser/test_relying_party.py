"""openid-client, which others wrote and certified, as the relying party; Chromium as whoever is sent to us."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from tests.browser.visitor import PATIENCE, Callback, Visitor
from tests.support.oauth import Web, made_client
from tests.support.oauth_browser import Person
from tests.support.servers import absent

SOURCE: Final = Path(__file__).parent / "relying_party"
SCOPE: Final = "openid profile email offline_access executions:read"


@dataclass(frozen=True, slots=True)
class Party:
    """A running relying party."""

    process: asyncio.subprocess.Process

    async def tells(self) -> dict[str, Any]:
        """Its next line."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            line = await self.process.stdout.readline()
        if not line:
            assert self.process.stderr is not None
            raise AssertionError((await self.process.stderr.read()).decode())
        told: dict[str, Any] = json.loads(line)
        return told

    async def hears(self, line: str) -> None:
        """Tell it something."""
        assert self.process.stdin is not None
        self.process.stdin.write(line.encode() + b"\n")
        await self.process.stdin.drain()


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The relying party with what it depends on."""
    npm = shutil.which("npm") or absent("npm", "PATH")
    folder = tmp_path_factory.mktemp("relying") / "party"
    shutil.copytree(SOURCE, folder, ignore=shutil.ignore_patterns("node_modules"))
    command = [npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=120)
    return folder


@asynccontextmanager
async def party(
    folder: Path, flow: str, web: Web, client: dict[str, Any], callback: str = ""
) -> AsyncIterator[Party]:
    process = await asyncio.create_subprocess_exec(
        *(shutil.which("node") or "node", "index.js", flow, web.url, client["client_id"]),
        *(client.get("client_secret", ""), callback),
        cwd=folder,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield Party(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@pytest.mark.parametrize("flow", ["code", "pushed"])
async def test_a_whole_life_with_a_code(
    installed: Path,
    flow: str,
    web: Web,
    admin: str,
    callback: Callback,
    visitor: Visitor,
    grace: Person,
) -> None:
    client = await made_client(
        web,
        admin,
        redirect_uris=[callback.url],
        grant_types=["authorization_code", "refresh_token"],
        scope=SCOPE,
    )
    async with party(installed, flow, web, client, callback.url) as relying:
        await visitor.go((await relying.tells())["go"])
        await visitor.sign_in(grace)
        await visitor.press("Allow")
        await relying.hears(await callback.visited())

        told = await relying.tells()

    assert told["claims"]["iss"] == web.url
    assert told["about"]["email"] == grace.email
    assert set(told["scope"].split()) == set(SCOPE.split())
    assert (told["active"], told["rotated"], told["revoked"]) == (True, True, False)
    assert told["bye"].startswith(web.url)


async def test_a_public_client_needs_no_secret(
    installed: Path, web: Web, admin: str, callback: Callback, visitor: Visitor, grace: Person
) -> None:
    client = await made_client(
        web,
        admin,
        redirect_uris=[callback.url],
        token_endpoint_auth_method="none",
        grant_types=[
            "authorization_code",
            "refresh_token",
            "urn:ietf:params:oauth:grant-type:device_code",
        ],
        scope="openid email",
    )
    async with party(installed, "device", web, client) as relying:
        told = await relying.tells()
        await visitor.go(told["go"])
        assert await visitor.page.get_by_label("Code").input_value() == told["code"]
        await visitor.press("Continue")
        await visitor.sign_in(grace)
        await visitor.press("Allow")

        came = await relying.tells()

    assert came["claims"]["aud"] == client["client_id"]


async def test_a_program_acts_for_itself(installed: Path, web: Web, admin: str) -> None:
    client = await made_client(
        web, admin, grant_types=["client_credentials"], scope="executions:read"
    )
    async with party(installed, "own", web, client) as relying:
        assert await relying.tells() == {"scope": "executions:read", "type": "bearer"}
