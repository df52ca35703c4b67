"""Commands that try to get out of the sandbox. Beside each refusal stands the same thing where it is allowed."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.sandbox import UID, need, sandbox
from tests.support.time import eventually
from workflow_service.adapters.sandbox import (
    Bubblewrap,
    Cage,
    Command,
    CommandInvalid,
    CommandTimedOut,
    Finished,
    OutputTooLong,
    SandboxLimits,
    run,
    started,
)

SMALL = SandboxLimits(
    seconds=10, cpu_seconds=2, memory=256 * 1024 * 1024, processes=24, disk=4 * 1024 * 1024,
    output=64 * 1024,
)  # fmt: skip


@pytest.fixture
async def cage() -> Cage:
    return await sandbox(SMALL)


async def sh(cage: Cage, line: str, *arguments: str, stdin: bytes | None = None) -> Finished:
    return await run(cage, Command(("/bin/sh", "-c", line, "sh", *arguments), stdin=stdin))


def python(code: str) -> Command:
    return Command(("/usr/bin/env", "python3", "-I", "-c", textwrap.dedent(code)))


async def test_the_services_environment_is_not_there(
    cage: Cage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANARY", "hush")

    seen = await sh(cage, "env; tr '\\0' '\\n' < /proc/1/environ")

    assert b"PATH=" in seen.stdout
    assert b"CANARY" not in seen.stdout
    assert b"hush" not in seen.stdout


async def test_files_of_the_machine_are_not_there(cage: Cage, tmp_path: Path) -> None:
    secret = tmp_path / "workflow.db"
    secret.write_text("tenant b")
    secret.chmod(0o644)
    assert secret.read_text() == "tenant b"

    seen = await sh(cage, 'cat "$1" /etc/passwd /etc/shadow; ls /root /home /var', str(secret))

    assert b"tenant b" not in seen.stdout
    assert b"root:" not in seen.stdout
    assert seen.code != 0


async def test_a_data_folder_within_the_system_is_hidden(cage: Cage) -> None:
    assert isinstance(cage, Bubblewrap)
    shown = await sh(cage, "ls /usr/share | wc -l")
    hiding = Bubblewrap(
        cage.limits, cage.bwrap, cage.prlimit, cage.setpriv, cage.uid, (Path("/usr/share"),)
    )

    hidden = await sh(hiding, "ls -A /usr/share; touch /usr/share/x")

    assert int(shown.stdout) > 1
    assert hidden.stdout == b""
    assert hidden.code != 0


async def test_nothing_is_written_but_in_the_workdir(cage: Cage) -> None:
    allowed = await sh(cage, "echo x > /work/a && echo x > /tmp/a && cat /work/a /tmp/a && pwd")
    assert allowed.stdout == b"x\nx\n/work\n"

    for place in ("/", "/usr", "/usr/bin", "/etc", "/dev", "/proc"):
        refused = await sh(cage, 'echo x > "$1/planted"', place)
        assert refused.code != 0, place
    assert not os.path.exists("/usr/planted")  # noqa: ASYNC240 - a moment
    assert (await sh(cage, "ls /work")).stdout == b""  # and nothing of it is left for the next one


async def test_a_file_larger_than_the_disk_ends_it(cage: Cage) -> None:
    assert (await sh(cage, "head -c 1000000 /dev/zero > f; wc -c < f")).stdout == b"1000000\n"

    one = await sh(cage, "head -c 9000000 /dev/zero > f")
    many = await sh(cage, "for n in 1 2 3; do head -c 3000000 /dev/zero > f$n || exit 9; done")

    assert one.code != 0
    assert many.code == 9


async def test_no_network_not_even_loopback(cage: Cage) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        reach = (
            f"import socket; socket.create_connection(('127.0.0.1', {port}), 2); print('reached')"
        )
        outside = await asyncio.to_thread(outside_of, reach)
        inside = await run(cage, python(reach))
    assert outside == b"reached\n"
    assert b"reached" not in inside.stdout
    assert inside.code != 0


async def test_odd_sockets_and_new_namespaces_are_refused(cage: Cage) -> None:
    odd = """
        import ctypes, socket
        socket.socket(socket.AF_UNIX).close()
        libc = ctypes.CDLL(None, use_errno=True)
        for family in (16, 17, 38, 40):
            try:
                socket.socket(family, socket.SOCK_RAW)
                print("family", family)
            except OSError:
                pass
        for name, arguments in {"unshare": (0x10000000,), "mount": (b"x", b"/work", b"tmpfs", 0, None)}.items():
            if getattr(libc, name)(*arguments) == 0:
                print(name)
        print("over")
    """
    assert (await run(cage, python(odd))).stdout == b"over\n"


async def test_no_other_process_is_seen(cage: Cage) -> None:
    seen = await sh(
        cage, "ls /proc | grep -c '^[0-9]'; kill -9 -1; kill -9 \"$1\"", str(os.getpid())
    )

    assert int(seen.stdout.split()[0]) < 8


async def test_it_runs_as_nobody_with_no_rights(cage: Cage) -> None:
    seen = await sh(cage, "id -u; grep -E '^(CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/self/status")
    uid, *marks = seen.stdout.decode().split("\n")
    rights = dict(mark.split(":\t") for mark in marks if mark)

    assert uid == str(UID if os.geteuid() == 0 else os.geteuid())
    assert int(rights["CapEff"], 16) == 0
    assert int(rights["CapBnd"], 16) == 0
    assert rights["NoNewPrivs"] == "1"
    assert rights["Seccomp"] == "2"


async def test_a_fork_bomb_hits_its_limit_and_nothing_else(cage: Cage) -> None:
    bomb = "b() { b | b & }; b; sleep 0.3; echo survived"

    bombed, neighbour = await asyncio.gather(
        sh(cage, bomb), sh(cage, "for n in 1 2 3; do true; done; echo well")
    )

    assert bombed.code != 0 or b"fork" in bombed.stderr.lower()
    assert neighbour == Finished(0, b"well\n", b"")


async def test_memory_ends_at_its_limit(cage: Cage) -> None:
    fits = await run(cage, python("print(len(bytearray(50_000_000)))"))
    greedy = await run(cage, python("print(len(bytearray(900_000_000)))"))

    assert fits.stdout == b"50000000\n"
    assert greedy.code != 0
    assert b"MemoryError" in greedy.stderr


async def test_a_busy_loop_is_ended_by_the_processor_time() -> None:
    cage = await sandbox(replace(SMALL, seconds=100))  # which two of its own take on a busy machine
    assert (await sh(cage, "while :; do :; done")).code in {128 + signal.SIGXCPU, 137}


async def test_endless_output_is_cut_off(cage: Cage) -> None:
    with pytest.raises(OutputTooLong, match="more than 65536 bytes to its standard output"):
        await sh(cage, "yes")
    with pytest.raises(OutputTooLong, match="standard error"):
        await sh(cage, "yes >&2")


async def test_a_flood_that_nobody_reads_holds_nobody_up(cage: Cage) -> None:
    # More than is buffered and fits into the pipe: by then nobody looks at the pipe any more.
    flood = "head -c 2165000 /dev/zero; echo full >&2; cat /dev/zero"

    async with asyncio.timeout(20):
        async with started(cage, Command(("/bin/sh", "-c", flood))) as child:
            assert await child.stderr.readline() == b"full\n"

        assert await child.wait() == 128 + signal.SIGKILL


async def test_what_takes_too_long_is_killed_with_all_that_it_started() -> None:
    cage = await sandbox(SandboxLimits(seconds=0.5))
    name = "4321.125"
    with pytest.raises(CommandTimedOut, match=r"after 0.5 s"):
        await sh(cage, f"setsid sleep {name} & setsid nohup sleep {name} & sleep {name}")

    await eventually(lambda: not alive(name))


async def test_a_cancelled_command_is_killed(cage: Cage) -> None:
    name = "4321.25"
    task = asyncio.get_running_loop().create_task(sh(cage, f"setsid sleep {name} & sleep {name}"))
    await eventually(lambda: len(alive(name)) >= 2)

    _ = task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    await eventually(lambda: not alive(name))


async def test_nothing_outlives_a_service_that_was_killed() -> None:
    need("bwrap")
    name = "4321.375"
    service = await asyncio.create_subprocess_exec(sys.executable, "-c", _SERVICE, name)
    try:
        await eventually(lambda: len(alive(name)) >= 2, within=20)
    finally:
        service.kill()
        _ = await service.wait()

    await eventually(lambda: not alive(name))


async def test_a_long_lived_child_talks_over_its_pipes_and_ends_with_its_block(cage: Cage) -> None:
    name = "4321.5"
    talker = Command(("/bin/sh", "-c", f"sleep {name} & while read x; do echo got $x; done"))
    async with started(cage, talker) as child:
        for word in (b"one\n", b"two\n"):
            child.stdin.write(word)
            assert await child.stdout.readline() == b"got " + word
        await eventually(lambda: bool(alive(name)))

    await eventually(lambda: not alive(name))


@pytest.mark.parametrize("name", ["LD_PRELOAD", "LD_LIBRARY_PATH", "GLIBC_TUNABLES", "GCONV_PATH"])
async def test_no_variable_loads_code_into_what_bounds_a_command(cage: Cage, name: str) -> None:
    line = ("/bin/sh", "-c", "echo $PRELOAD; ulimit -n; ulimit -p")
    assert (await run(cage, Command(line, {"PRELOAD": "/x.so"}))).stdout == b"/x.so\n256\n24\n"

    with pytest.raises(CommandInvalid, match=f"{name} decides what code programs load"):
        await run(cage, Command(line, {name: "/command/x.so"}))


async def test_bounds_cannot_be_raised(cage: Cage) -> None:
    seen = await sh(
        cage, "ulimit -p 100; ulimit -n 9999; ulimit -f unlimited; ulimit -p; ulimit -n"
    )

    assert seen.stdout == b"24\n256\n"


def outside_of(code: str) -> bytes:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).stdout


def alive(word: str) -> list[int]:
    """Return the processes of this machine that have *word* as an argument and are no zombies."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if arguments[:1] == [b"sleep"] and word.encode() in arguments:
            found.append(int(folder.name))
    return found


_SERVICE = """
import asyncio, sys
from workflow_service.adapters.sandbox import Command, SandboxLimits, open_sandbox, run
async def main():
    cage = await open_sandbox(SandboxLimits(), uid=60999, hidden=(), insecure=False)
    await run(cage, Command(("/bin/sh", "-c", f"setsid sleep {sys.argv[1]} & sleep {sys.argv[1]}")))
asyncio.run(main())
"""
