"""What is JSON and what only looks like it."""

import contextlib
import json
import tarfile
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.routes.strict_json import MAX_DEPTH, JsonRefused, check

SUITE = Path(__file__).parents[4] / "shared" / "vectors" / "JSONTestSuite.tar.gz"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@given(JSON)
def test_whatever_python_writes_is_accepted(value: object) -> None:
    check(json.dumps(value).encode())
    check(json.dumps(value, ensure_ascii=False, indent=1).encode())


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"a":1,"a":2}', "twice"),
        (b'{"a":{"\\u0062":1,"b":2}}', "twice"),
        (b"NaN", "not a number"),
        (b"[Infinity]", "not a number"),
        (b"1e400", "range"),
        (b'"\\ud800"', "surrogate"),
        (b'{"\\udfff":1}', "surrogate"),
        (b"\xff", "UTF-8"),
        (b"\xef\xbb\xbf{}", "not valid JSON"),
        (b"", "not valid JSON"),
        (b"9" * 5000, "too long"),
        (b"[" * 65 + b"]" * 65, "deeper"),
        (b'{"a":' * 65 + b"1" + b"}" * 65, "deeper"),
    ],
)
def test_what_is_refused_says_why(body: bytes, reason: str) -> None:
    with pytest.raises(JsonRefused, match=reason):
        check(body)


def test_depth_counts_brackets_but_not_those_in_strings() -> None:
    check(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
    check(json.dumps(["[" * 500, '\\"[[[' * 100, {"]{": "}"}]).encode())
    check(b"[" + b",".join([b"[]"] * 1000) + b"]")


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 1_000_000,
        b"[" + b'"' * 1_000_000,
        b"[" * 70 + b'"\\"' * 300_000,
        b"[" * 70 + b"\\" * 1_000_000,
        b"[" + b"[]," * 330_000 + b"[]]",
        b'{"a":' * 200_000,
    ],
)
def test_a_mebibyte_made_to_hurt_is_read_quickly(body: bytes) -> None:
    began = time.thread_time()  # what others do on this machine is not counted

    with contextlib.suppress(JsonRefused):
        check(body)

    assert time.thread_time() - began < 2.0


@pytest.mark.skipif(not SUITE.exists(), reason="no vectors here")
def test_json_test_suite() -> None:
    wrong: list[str] = []
    with tarfile.open(SUITE) as archive:
        for member in archive.getmembers():
            name = Path(member.name).name
            file = archive.extractfile(member) if "test_parsing" in member.name else None
            if file is None or not name.endswith(".json"):
                continue
            try:
                check(file.read())
                accepted = True
            except JsonRefused:
                accepted = False
            if name.startswith("y_") and not accepted and "duplicated_key" not in name:
                wrong.append(name)
            if name.startswith("n_") and accepted:
                wrong.append(name)
    assert wrong == []
