from pathlib import Path

from autoworker.shop import Entry, Ledger, read_ledger


def test_what_was_done_is_remembered_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    Ledger(path).add(Entry("k", "payments", 201, {"id": "pay-1"}))

    done = Ledger(path).done("k", "payments")

    assert done is not None
    assert done.answer == {"id": "pay-1"}
    assert Ledger(path).done("k", "reservations") is None


def test_refusals_are_counted_by_key_and_are_not_done(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    ledger.add(Entry("k", "payments", 503))

    assert (ledger.refusals("k"), ledger.refusals("other")) == (1, 0)
    assert ledger.done("k", "payments") is None


def test_a_line_that_a_crash_cut_off_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    ledger = Ledger(path)
    ledger.add(Entry("k", "payments", 503))
    path.write_bytes(path.read_bytes() + b'{"key": "k", "wh')

    assert [entry.status for entry in read_ledger(path)] == [503]
    Ledger(path).add(Entry("k", "payments", 201))
    assert [entry.status for entry in read_ledger(path)] == [503, 201]
