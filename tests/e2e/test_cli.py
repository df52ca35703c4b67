"""The command line, used as people and scripts use it: beside a running suite, without a terminal."""

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.gateway_client import PASSWORD, signed_up
from tests.support.suite import Suite, command_line, started

HELLO = "examples/hello.yaml"
ORDER = "examples/order.yaml"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    """A suite that has run the example, so that its shop is open."""
    with started(tmp_path_factory.mktemp("shop"), "--example") as suite:
        suite.wait_for("Serving on")
        yield suite


def shop_url(suite: Suite) -> str:
    return "http://127.0.0.1:" + (suite.data / "example-shop.port").read_text()


def test_run_registers_and_runs_and_prints_the_output(shop: Suite) -> None:
    ended = command_line(shop.folder, "run", HELLO, "--input", '{"name": "Ada"}')

    assert ended.returncode == 0
    assert json.loads(ended.stdout) == {"message": "Hello, Ada!"}
    assert "✓ greet" in ended.stderr
    assert "\x1b" not in ended.stdout + ended.stderr


def test_run_takes_its_input_from_a_file_or_from_stdin(shop: Suite, tmp_path: Path) -> None:
    (tmp_path / "in.json").write_text('{"name": "Bob"}')
    from_file = command_line(shop.folder, "run", HELLO, "-i", f"@{tmp_path / 'in.json'}")
    from_stdin = command_line(shop.folder, "run", HELLO, "-i", "@-", stdin='{"name": "Eve"}')

    assert json.loads(from_file.stdout) == {"message": "Hello, Bob!"}
    assert json.loads(from_stdin.stdout) == {"message": "Hello, Eve!"}


def test_the_order_runs_with_the_input_beside_it(shop: Suite, tmp_path: Path) -> None:
    order = json.loads(Path("examples/order.input.json").read_text())
    (tmp_path / "order.yaml").write_text(Path(ORDER).read_text())
    beside = tmp_path / "order.input.json"
    beside.write_text(json.dumps({**order, "shop": shop_url(shop), "country": "FR"}))

    ended = command_line(shop.folder, "run", str(tmp_path / "order.yaml"))

    assert ended.returncode == 0
    confirmation = json.loads(ended.stdout)
    assert (confirmation["total"], confirmation["arrives"]) == (110.7, "in 5 days")
    assert "↻ charge" in ended.stderr


def test_a_faulted_run_tells_why_and_ends_with_1(shop: Suite) -> None:
    ended = command_line(shop.folder, "run", ORDER, "-i", '{"customer": "nobody", "items": []}')

    assert ended.returncode == 1
    assert ended.stdout == ""
    assert "✗ faulted" in ended.stderr


def test_executions_and_logs_show_what_was_run(shop: Suite) -> None:
    started_one = command_line(shop.folder, "run", HELLO, "--no-wait")
    execution = started_one.stdout.strip()

    listed = command_line(shop.folder, "executions", "--limit", "200")
    history = command_line(shop.folder, "logs", execution, "-f")
    faulted = command_line(shop.folder, "executions", "--status", "suspended")

    assert execution in listed.stdout
    assert "examples/hello:1.0.0" in listed.stdout
    assert history.stdout.splitlines()[-1].split()[2:4] == ["ms", "workflow"]
    assert "/do/0/greet" in history.stdout
    assert execution not in faulted.stdout


async def test_login_keeps_a_session_and_no_password(shop: Suite, tmp_path: Path) -> None:
    async with signed_up(shop.url, "Grace") as grace:
        email = grace.email
    settings = {"AUTOWORKER_URL": shop.url, "AUTOWORKER_PASSWORD": PASSWORD}
    place = {"AUTOWORKER_URL": shop.url}

    logged_in = command_line(tmp_path, "login", "--email", email, settings=settings)
    ran = command_line(tmp_path, "run", HELLO, settings=place)
    listed = command_line(tmp_path, "executions", settings=place)
    kept = tmp_path / "state" / "autoworker" / "sessions.json"
    content, mode = kept.read_text(), stat.S_IMODE(kept.stat().st_mode)
    logged_out = command_line(tmp_path, "logout", settings=place)
    refused = command_line(tmp_path, "executions", settings=place)

    assert [logged_in.returncode, ran.returncode, logged_out.returncode] == [0, 0, 0]
    assert len(listed.stdout.splitlines()) == 2
    assert PASSWORD not in content
    assert mode == 0o600
    assert refused.returncode == 1
    assert "login" in refused.stderr


def test_a_suite_that_is_not_there_is_told_in_one_line(tmp_path: Path) -> None:
    ended = command_line(tmp_path, "executions", settings={"AUTOWORKER_URL": "http://127.0.0.1:1"})

    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
    assert "make run" in ended.stderr


def test_a_document_that_is_refused_is_told_with_its_places(shop: Suite, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(Path(HELLO).read_text().replace("set:", "sett:"))

    offline = command_line(tmp_path, "validate", str(wrong), HELLO)
    refused = command_line(shop.folder, "run", str(wrong))

    assert (offline.returncode, refused.returncode) == (1, 1)
    assert f"✓ {HELLO}" in offline.stdout
    assert "/do/0/greet" in offline.stderr
    assert "/do/0/greet" in refused.stderr


@pytest.mark.parametrize(
    ("content", "says"),
    [("a: [", "line"), ("- 1", "/"), ("", "/")],
)
def test_what_is_no_document_is_refused_offline(tmp_path: Path, content: str, says: str) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text(content)

    ended = command_line(tmp_path, "validate", str(file))

    assert ended.returncode == 1
    assert says in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "nowhere.yaml"),
        ("run", HELLO, "-i", "{"),
        ("run", HELLO, "-i", "@nowhere.json"),
        ("logs", "01a1fdb5-c362-7000-bffd-000000000000"),
        ("executions", "--status", "lost"),
    ],
)
def test_mistakes_are_told_without_a_traceback(shop: Suite, arguments: tuple[str, ...]) -> None:
    ended = command_line(shop.folder, *arguments)

    assert ended.returncode == 1
    assert ended.stderr.startswith("error: ")
    assert "Traceback" not in ended.stderr
