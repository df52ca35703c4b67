"""Every command of the README works, against a suite that was started as the README says."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from autoworker import data_dir
from autoworker.data_dir import RunFile
from tests.support.ports import free_port
from tests.support.suite import ROOT, STOP_DEADLINE, environment, until

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
BLOCKS = [(match[1], match[2]) for match in BLOCK.finditer(README)]
PORT = "8080"
BUSY = 240.0
"""Seconds that the commands of one block may take: a busy machine takes long to start each."""


@dataclass(frozen=True, slots=True)
class Place:
    """A suite that runs as the README says, and what commands beside it need."""

    environment: dict[str, str]
    port: str


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder, port = tmp_path_factory.mktemp("readme"), str(free_port())
    variables = environment(folder, AUTOWORKER_HTTP_PORT=port, HOME=os.environ.get("HOME", "/"))
    with (folder / "out.txt").open("wb") as out:
        process = subprocess.Popen(
            ["make", "run"],
            cwd=ROOT,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            until(lambda: served(process, folder), "make run")
            yield Place(variables, port)
        finally:
            os.killpg(process.pid, signal.SIGINT)
            process.wait(STOP_DEADLINE)


def served(process: subprocess.Popen[bytes], folder: Path) -> RunFile | None:
    told = (folder / "out.txt").read_text(encoding="utf-8")
    assert process.poll() is None, told
    run = data_dir.read(data_dir.run_file(folder / "data"), RunFile)
    return run if "Serving on" in told else None


def test_the_readme_has_the_two_commands_and_both_ways_in() -> None:
    kinds = [kind for kind, _ in BLOCKS]

    assert [text.strip() for kind, text in BLOCKS if kind == "console"] == ["make run", "make test"]
    assert kinds.count("bash") == 3
    assert kinds.count("python") == 1
    assert set(kinds) == {"console", "bash", "python"}


def test_make_test_is_there() -> None:
    # Running it here would run this test again.
    subprocess.run(["make", "-n", "test"], cwd=ROOT, check=True, capture_output=True)


@pytest.mark.timeout(4 * BUSY + STOP_DEADLINE)
def test_every_block_does_what_the_readme_says(place: Place) -> None:
    # In their order: the Python program logs in as whom the curl commands have registered.
    command_line, curl, python, identity = [
        run(kind, text, place) for kind, text in BLOCKS if kind != "console"
    ]

    assert '"message": "Hello, Ada!"' in command_line
    assert "examples/order:1.0.0" in command_line
    assert "✓ examples/hello.yaml" in command_line
    assert '"status":"completed"' in curl
    assert "error" not in curl.replace('"error":null', "")
    assert "Hello, Ada!" in python
    assert "io.serverlessworkflow.workflow.completed.v1" in python
    assert identity.startswith("sk_live_")
    assert "intact" in identity


def run(kind: str, text: str, place: Place) -> str:
    text = text.replace(f":{PORT}", f":{place.port}")
    if kind == "python":
        text = text.replace("Client(email", f'Client("http://127.0.0.1:{place.port}", email')
        arguments = [sys.executable, "-c", text]
    else:
        arguments = ["bash", "-euo", "pipefail", "-c", text]
    ended = subprocess.run(
        arguments,
        cwd=ROOT,
        env=place.environment,
        capture_output=True,
        text=True,
        timeout=BUSY,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr + ended.stdout
    return ended.stdout


def test_every_place_that_the_readme_leads_to_exists() -> None:
    places = re.findall(r"\]\(([^)#]+)\)", README)

    missing = [place for place in places if "://" not in place and not (ROOT / place).exists()]

    assert missing == []
