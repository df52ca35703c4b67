"""The auth service as a process of its own."""

import asyncio
import os
import signal
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


async def start(**settings: str) -> asyncio.subprocess.Process:
    named = {f"AUTOWORKER_{name}": value for name, value in settings.items()}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "auth_service",
        cwd=ROOT,
        env={**os.environ, **named},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def said_until(process: asyncio.subprocess.Process, words: str) -> str:
    assert process.stdout is not None
    said = ""
    async with asyncio.timeout(30):
        while words not in said:
            line = await process.stdout.readline()
            assert line, said
            said += line.decode()
    return said


async def test_it_shows_the_first_password_once_and_stops_when_asked(tmp_path: Path) -> None:
    settings = {"DATA_DIR": str(tmp_path), "AUTH_GRPC_PORT": "0", "AUTH_ADMIN_PORT": "0"}

    process = await start(**settings)
    said = await said_until(process, "First administrator")
    process.send_signal(signal.SIGTERM)
    rest, _ = await process.communicate()

    assert process.returncode == 0
    password = said.rpartition("password: ")[2].strip()
    assert len(password) > 20
    assert (said + rest.decode()).count(password) == 1


async def test_it_refuses_to_start_with_wrong_settings_and_names_them() -> None:
    process = await start(ADMIN_PASSWORD="hunter2", AUTH_GRPC_PORT="many")
    said, _ = await process.communicate()

    assert process.returncode == 1
    assert b"AUTOWORKER_ADMIN_PASSWORD" in said
    assert b"AUTOWORKER_AUTH_GRPC_PORT" in said
    assert b"hunter2" not in said
