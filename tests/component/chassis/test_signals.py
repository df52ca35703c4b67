"""What a process does when it is asked to stop."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_SERVICE = """
import asyncio, sys
from contextlib import asynccontextmanager
from chassis.lifecycle import run_until_stopped

@asynccontextmanager
async def service(how):
    print("started", flush=True)
    yield
    print("draining", flush=True)
    if how == "stuck":
        await asyncio.Event().wait()
    if how == "held":
        await asyncio.to_thread(sys.stdin.readline)

sys.exit(asyncio.run(run_until_stopped(service(sys.argv[1]))))
"""


@contextmanager
def running(how: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", _SERVICE, how],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        until(process, "started")
        yield process
    finally:
        process.kill()
        process.communicate()


def until(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdout is not None
    while (read := process.stdout.readline()) != f"{line}\n":
        assert read, f"the process ended before it said {line!r}"


def test_ctrl_c_drains_and_exits_with_0() -> None:
    with running("well") as process:
        process.send_signal(signal.SIGINT)
        until(process, "draining")
        assert process.wait(10) == 0


def test_a_second_ctrl_c_does_not_wait_for_the_drain() -> None:
    with running("stuck") as process:
        process.send_signal(signal.SIGINT)
        until(process, "draining")
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == -signal.SIGINT


def test_a_second_sigterm_does_not_hurry() -> None:
    with running("held") as process:
        process.send_signal(signal.SIGTERM)
        until(process, "draining")
        process.send_signal(signal.SIGTERM)
        assert process.stdin is not None
        process.stdin.write("go on\n")
        process.stdin.flush()
        assert process.wait(10) == 0
