"""`autoworker up` as a newcomer meets it: starting, stopping, starting again, and what goes wrong."""

import signal
import socket
import stat
from pathlib import Path

import pytest

from autoworker import Client
from autoworker.data_dir import run_file
from tests.support.suite import command_line, environment, started

EXAMPLE_DONE = "Serving on"


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a suite has run the example and was stopped with Ctrl-C."""
    folder = tmp_path_factory.mktemp("first")
    with started(folder, "--example") as suite:
        suite.wait_for(EXAMPLE_DONE)
        code = suite.stop(signal.SIGINT)
    (folder / "code.txt").write_text(str(code))
    return folder


def said(folder: Path) -> str:
    return (folder / "out.txt").read_text(encoding="utf-8")


def one_line(text: str) -> str:
    lines = text.splitlines()
    assert len(lines) == 1, text
    return lines[0]


def test_ctrl_c_drains_and_ends_with_0(first: Path) -> None:
    assert (first / "code.txt").read_text() == "0"
    assert said(first).splitlines()[-1].startswith("Stopped.")
    assert not run_file(first / "data").exists()


def test_the_first_start_tells_all_that_a_newcomer_needs(first: Path) -> None:
    told = said(first)

    assert "API             http://127.0.0.1:" in told
    assert "/docs" in told
    assert "admin@autoworker.internal" in told
    assert "generated now" in told
    assert str(first / "data") in told


def test_the_example_is_shown_live_with_its_retries_and_its_outcome(first: Path) -> None:
    told = said(first)

    for line in (
        "✓ price",
        "↻ charge",
        "attempt 3",
        "✓ reserveStock",
        "✓ coolingOff",
        "✓ announce",
    ):
        assert line in told
    assert "✓ completed in" in told
    assert "warehouse  Hamburg" in told
    assert "\x1b" not in told


def test_what_is_kept_is_for_its_owner_only(first: Path) -> None:
    for name in ("admin.json", "keys/gateway.pem"):
        assert stat.S_IMODE((first / "data" / name).stat().st_mode) == 0o600
    assert stat.S_IMODE((first / "data").stat().st_mode) == 0o700


def test_nothing_alarming_is_logged(first: Path) -> None:
    logged = (first / "err.txt").read_text(encoding="utf-8")

    assert '"level": "error"' not in logged
    assert '"level": "warning"' not in logged


async def test_the_second_start_keeps_the_data_and_runs_the_example_again(first: Path) -> None:
    with started(first, "--example") as suite:
        suite.wait_for(EXAMPLE_DONE)
        told = suite.said
        known = suite.administrator
        async with Client(suite.url, email=known.email, password=known.password) as client:
            runs = [execution async for execution in client.list(name="order")]
        assert suite.stop(signal.SIGTERM) == 0

    assert "✓ completed in" in told
    assert "generated now" not in told
    assert "as at the first start" in told
    assert [execution.status for execution in runs] == ["completed", "completed"]


def test_a_taken_port_is_told_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        settings = {"AUTOWORKER_HTTP_PORT": port, "AUTOWORKER_LOG_LEVEL": "WARNING"}
        ended = command_line(tmp_path, "up", "--example", settings=settings)

    assert ended.returncode == 1
    line = one_line(ended.stderr)
    assert line.startswith("error: ")
    assert port in line
    assert "AUTOWORKER_HTTP_PORT" in line


def test_all_wrong_settings_of_all_services_are_told_by_name(tmp_path: Path) -> None:
    ended = command_line(
        tmp_path,
        "up",
        settings={
            "AUTOWORKER_HTTP_PORT": "eighty",
            "AUTOWORKER_ADMIN_EMAIL": "nobody",
            "AUTOWORKER_JQ_WORKERS": "0",
            "AUTOWORKER_SMTP_URL": "http://mail",
            "AUTOWORKER_LOG_LEVEL": "loud",
        },
    )

    assert ended.returncode == 1
    named = [line.split(": ")[1] for line in ended.stderr.splitlines()]
    assert set(named) >= {
        "AUTOWORKER_HTTP_PORT",
        "AUTOWORKER_ADMIN_EMAIL",
        "AUTOWORKER_JQ_WORKERS",
        "AUTOWORKER_SMTP_URL",
        "AUTOWORKER_LOG_LEVEL",
    }
    assert len(named) == len(ended.stderr.splitlines())
    assert named.count("AUTOWORKER_HTTP_PORT") == 1
    assert "Traceback" not in ended.stderr


def test_a_data_directory_that_cannot_be_used_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")

    ended = command_line(tmp_path, "up")

    assert ended.returncode == 1
    assert "AUTOWORKER_DATA_DIR" in one_line(ended.stderr)


def test_a_directory_belongs_to_one_suite_at_a_time(tmp_path: Path) -> None:
    with started(tmp_path) as suite:
        ended = command_line(tmp_path, "up")

        assert ended.returncode == 1
        line = one_line(ended.stderr)
        assert "in use by another suite" in line
        assert suite.url in line
        assert run_file(suite.data).exists()


def test_a_chosen_password_is_neither_kept_nor_shown(tmp_path: Path) -> None:
    chosen = {
        "AUTOWORKER_ADMIN_EMAIL": "root@example.com",
        "AUTOWORKER_ADMIN_PASSWORD": "Chosen-7-x",
    }
    with started(tmp_path, "--example", **chosen) as suite:
        suite.wait_for(EXAMPLE_DONE)

        assert "✓ completed in" in suite.said
        assert "Chosen-7-x" not in suite.said + suite.logged
        assert not (suite.data / "admin.json").exists()


def test_the_example_that_cannot_run_does_not_stop_the_suite(tmp_path: Path) -> None:
    with started(tmp_path, AUTOWORKER_ADMIN_PASSWORD="Chosen-7-x") as suite:
        assert suite.stop() == 0
    with started(tmp_path, "--example") as suite:
        suite.wait_for(EXAMPLE_DONE)

        assert "AUTOWORKER_ADMIN_PASSWORD" in suite.said
        assert suite.stop() == 0


def test_nothing_of_the_environment_leaks_into_these_tests(tmp_path: Path) -> None:
    names = {name for name in environment(tmp_path) if name.startswith("AUTOWORKER_")}

    assert names == {"AUTOWORKER_DATA_DIR", "AUTOWORKER_HTTP_PORT", "AUTOWORKER_EXAMPLE_PORT"}
