"""`autoworker migrate` on files and on a server: up, down and up again, and nothing with --dry-run."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from autoworker.cli.app import app
from autoworker.data_dir import held
from tests.support.mongodb import database_url
from tests.support.servers import mongo_url

ALL = ("auth", "workflow", "notification")


class Operator:
    """Somebody with a shell."""

    def __init__(self, folder: Path, store: str) -> None:
        self.folder = folder
        self._env = {"AUTOWORKER_DATA_DIR": str(folder), "AUTOWORKER_STORE_URL": store}

    def migrate(self, *arguments: str) -> Result:
        """Run the command."""
        return CliRunner().invoke(app, ["migrate", *arguments], env=self._env)

    def missing(self, service: str) -> int:
        """How many steps of a service are not there."""
        result = self.migrate("status", service)
        assert result.exit_code == 0, result.output
        return result.output.count("  missing ")


@pytest.fixture(params=["sqlite", "mongodb"])
def operator(request: pytest.FixtureRequest, tmp_path: Path) -> Operator:
    server = request.param == "mongodb"
    return Operator(tmp_path, database_url(mongo_url(), tmp_path) if server else "sqlite://")


def test_steps_are_applied_taken_back_and_applied_again(operator: Operator) -> None:
    for service in ALL:
        operator.migrate("up", service)
        assert operator.missing(service) == 0

        down = operator.migrate("down", service, "--to", "0", "--yes")
        assert down.exit_code == 0, down.output
        assert "taken back" in down.output
        assert operator.missing(service) > 0

        assert operator.migrate("up", service).exit_code == 0
        assert operator.missing(service) == 0
    assert "nothing to do" in operator.migrate("up").output


def test_a_dry_run_changes_nothing(tmp_path: Path) -> None:
    operator = Operator(tmp_path, "sqlite://")
    told = operator.migrate("up", "workflow", "--dry-run")
    assert "would be applied" in told.output
    assert not (tmp_path / "workflow.db").exists()

    operator.migrate("up", "workflow")
    told = operator.migrate("down", "workflow", "--to", "2", "--dry-run")
    assert "would be taken back" in told.output
    assert operator.missing("workflow") == 0


def test_nothing_is_taken_back_without_a_yes_or_below_a_running_suite(tmp_path: Path) -> None:
    operator = Operator(tmp_path, "sqlite://")
    operator.migrate("up", "workflow")

    assert operator.migrate("down", "workflow", "--to", "0").exit_code == 1
    with held(tmp_path):
        refused = operator.migrate("down", "workflow", "--to", "0", "--yes")

    assert refused.exit_code == 1
    assert "in use" in refused.output
    assert operator.missing("workflow") == 0


def test_mistakes_are_told(tmp_path: Path) -> None:
    assert (
        "choose auth, workflow, notification"
        in Operator(tmp_path, "sqlite://").migrate("status", "gateway").output
    )
    assert "AUTOWORKER_STORE_URL" in Operator(tmp_path, "mysql://x").migrate("status").output
