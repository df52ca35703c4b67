"""The file of keys that wrap other keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from chassis.crypto.key_file import add_key, load_or_create
from chassis.errors import CannotStart


def test_a_missing_file_is_made_for_its_owner_only_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "secrets.keys"

    made = load_or_create(path)

    assert load_or_create(path) == made
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(made.keys[made.current]) == 32
    assert [each.name for each in path.parent.iterdir()] == ["secrets.keys"]


def test_a_new_key_is_the_current_one_and_the_old_one_stays(tmp_path: Path) -> None:
    path = tmp_path / "secrets.keys"
    before = load_or_create(path)

    name = add_key(path)
    after = load_or_create(path)

    assert after.current == name != before.current
    assert after.keys[before.current] == before.keys[before.current]
    assert path.stat().st_mode & 0o777 == 0o600


def test_keys_are_not_shown(tmp_path: Path) -> None:
    keys = load_or_create(tmp_path / "secrets.keys")

    assert str(keys.keys[keys.current]) not in repr(keys)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing\n",
        "k1\n",
        "k1 c2hvcnQ=\n",
        "k1 !!!\n",
        "k 1 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        "k1 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n" * 2,
        "ключ AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
    ],
)
def test_a_file_that_has_no_keys_stops_the_start_without_showing_it(
    tmp_path: Path, text: str
) -> None:
    path = tmp_path / "secrets.keys"
    path.write_text(text, "utf-8")

    with pytest.raises(CannotStart) as refused:
        load_or_create(path)

    assert "AAAA" not in str(refused.value)


def test_comments_and_blank_lines_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "secrets.keys"
    path.write_text("# of 2026\n\nk1 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", "ascii")

    assert load_or_create(path).current == "k1"
