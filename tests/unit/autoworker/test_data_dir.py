import stat
from pathlib import Path

import pytest

from autoworker import data_dir
from autoworker.data_dir import AdminFile, RunFile
from chassis.errors import CannotStart

RUN = RunFile(7, "http://127.0.0.1:1", {}, {})


def test_a_directory_is_held_by_one_at_a_time(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "data"
    with data_dir.held(folder):
        with pytest.raises(CannotStart, match="in use"), data_dir.held(folder):
            pass
        assert data_dir.in_use(folder)

    assert not data_dir.in_use(folder)
    with data_dir.held(folder):
        pass


def test_a_directory_that_nobody_made_is_not_in_use(tmp_path: Path) -> None:
    assert not data_dir.in_use(tmp_path / "none")


def test_what_is_announced_goes_with_the_suite(tmp_path: Path) -> None:
    with data_dir.announced(tmp_path, RUN):
        assert data_dir.read(data_dir.run_file(tmp_path), RunFile) == RUN

    assert data_dir.read(data_dir.run_file(tmp_path), RunFile) is None


def test_files_are_for_their_owner_only(tmp_path: Path) -> None:
    path = data_dir.admin_file(tmp_path)

    data_dir.write(path, AdminFile("a@example.com", "x"))

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["admin.json"]


def test_a_password_is_generated_once_and_found_again(tmp_path: Path) -> None:
    first, generated = data_dir.first_administrator(tmp_path, "a@example.com")
    again, generated_again = data_dir.first_administrator(tmp_path, "b@example.com")

    assert (generated, generated_again) == (True, False)
    assert first == again


def test_nothing_is_generated_for_users_that_are_there_already(tmp_path: Path) -> None:
    (tmp_path / "auth.db").touch()

    assert data_dir.first_administrator(tmp_path, "a@example.com") == (None, False)


def test_a_password_is_never_shown_by_accident() -> None:
    assert "secret" not in repr(AdminFile("a@example.com", "secret"))


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b'{"pid": "x"}'])
def test_a_damaged_file_counts_as_none(tmp_path: Path, content: bytes) -> None:
    data_dir.run_file(tmp_path).write_bytes(content)

    assert data_dir.read(data_dir.run_file(tmp_path), RunFile) is None
