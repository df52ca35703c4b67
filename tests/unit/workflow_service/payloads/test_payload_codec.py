"""Large values are taken out of commits and put back, and nobody pays for it who has none."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.executions import accepted, beginning, completing, following
from tests.unit.workflow_service.codec.test_event_codec import EVENTS, POSITION
from workflow_service.adapters.event_codec import (
    EVENTS_VERSION,
    decode_events,
    decode_state,
    events_from,
)
from workflow_service.adapters.payloads import (
    CommitEncoding,
    DamagedPayload,
    PayloadCodec,
    TakenOut,
    opened,
    splitting,
)
from workflow_service.adapters.payloads.codec import Column
from workflow_service.adapters.payloads.references import decode_references
from workflow_service.application.ports import Commit
from workflow_service.domain.execution.events import Event, TaskCompleted, TaskStarted
from workflow_service.domain.execution.state import Forking, Frame
from workflow_service.domain.expressions import JsonValue

LARGE = "x" * 70_000


def taken(column: Column, encoding: CommitEncoding) -> TakenOut | None:
    payloads = dict(encoding.payloads)
    if column[1] is None:
        return None
    return TakenOut(column[1], lambda digest: opened(digest, payloads.get(digest)))


def outputs(*values: JsonValue) -> list[Event]:
    return [TaskCompleted("/do/0/a", output=value) for value in values]


def back(events: Sequence[Event], threshold: int) -> list[Event]:
    encoding = PayloadCodec(threshold).encoding("e1")
    column = encoding.encode_list(events)
    return decode_events(column[0], taken_out=taken(column, encoding))


# ------------------------------------------------------------ all of it comes back


@pytest.mark.parametrize("threshold", [1, 20, 100, 1_000])
def test_every_kind_of_event_comes_back(threshold: int) -> None:
    assert back(EVENTS, threshold) == EVENTS


def test_events_can_be_read_one_by_one_from_any_place() -> None:
    encoding = PayloadCodec(20).encoding("e1")
    column = encoding.encode_list(EVENTS)

    found = list(events_from(column[0], EVENTS_VERSION, 3, taken(column, encoding)))

    assert [event for event, _ in found] == EVENTS[3:]
    assert all(size >= len(msgspec.json.encode(event)) - 40 for event, size in found)


def test_events_of_an_older_format_come_back_with_their_large_values() -> None:
    encoding = PayloadCodec(20).encoding("e1")
    column = encoding.encode_list(EVENTS)
    found = decode_events(
        column[0],
        0,
        current=1,
        upcasters={0: lambda stored: stored},
        taken_out=taken(column, encoding),
    )

    assert found == EVENTS


@pytest.mark.parametrize("threshold", [1, 20, 1_000])
def test_a_state_comes_back(threshold: int) -> None:
    encoding = PayloadCodec(threshold).encoding("e1")
    column = encoding.encode(POSITION)

    assert decode_state(column[0], taken(column, encoding)) == POSITION


def test_the_outputs_of_branches_come_back_with_what_stands_beside_their_large_parts() -> None:
    outputs: dict[int, JsonValue] = {0: {"n": 0, "large": "x" * 200}, 2: ["y" * 200, 7]}
    fork = Frame(
        id="/do/0/fork",
        task="/do/0/fork",
        parent="",
        raw_input=None,
        input=None,
        activity=Forking(width=3, outputs=outputs),
    )
    state = msgspec.structs.replace(POSITION, frames={fork.id: fork})
    encoding = PayloadCodec(100).encoding("e1")
    column = encoding.encode(state)

    assert column[1] is not None
    assert decode_state(column[0], taken(column, encoding)) == state


JSON: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=30,
)


@settings(max_examples=60)
@given(values=st.lists(JSON, max_size=12), threshold=st.integers(1, 40))
def test_whatever_is_in_an_event_comes_back(values: list[JsonValue], threshold: int) -> None:
    stored = msgspec.json.decode(msgspec.json.encode(values))  # floats as JSON has them
    assert back(outputs(*stored, stored), threshold) == outputs(*stored, stored)


class Renamed(msgspec.Struct, frozen=True, rename="camel"):
    """What a call may hold: in JSON its members have other names."""

    large_text: str
    in_array: tuple[InArray, ...] = ()


class InArray(msgspec.Struct, frozen=True, array_like=True):
    """What is an array in JSON."""

    text: str


def test_members_that_have_other_names_in_json_come_back() -> None:
    whole = Renamed(LARGE, (InArray("small"),))
    encoding = PayloadCodec().encoding("e1")
    column = encoding.encode(whole)
    out = taken(column, encoding)

    assert column[0] == b'{"largeText":null,"inArray":[["small"]]}'
    assert out is not None
    assert msgspec.convert(out.into(msgspec.json.decode(column[0])), Renamed) == whole


# ------------------------------------------------------------ once


class Counted:
    """Counts how often something larger than a value of these tests is encoded."""

    def __init__(self) -> None:
        self.large = 0

    def __call__(self, value: object) -> bytes:
        data = msgspec.json.encode(value)
        self.large += len(data) >= len(LARGE)
        return data


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counted:
    counting = Counted()
    monkeypatch.setattr(splitting, "_encode", counting)
    return counting


def test_a_value_in_twenty_events_is_encoded_once(counted: Counted) -> None:
    encoding = PayloadCodec().encoding("e1")
    column = encoding.encode_list(outputs(*[LARGE] * 20))

    assert len(column[0]) < 2_000
    assert [len(data) for _, data in encoding.payloads] == [len(LARGE) + 2]
    assert counted.large == 1


def test_the_same_value_in_changing_wrappers_is_encoded_and_kept_once(counted: Counted) -> None:
    encoding = PayloadCodec().encoding("e1")
    wrapped: list[JsonValue] = [{"n": n, "in": [LARGE, n]} for n in range(20)]
    column = encoding.encode_list(outputs(*wrapped))

    assert len(encoding.payloads) == 1
    assert counted.large == 1
    assert len(column[0]) < 3_000
    assert b'"n":19' in column[0]


def test_what_stays_much_without_its_large_parts_is_kept_as_a_whole() -> None:
    value = [LARGE, *("y" * 9_000 for _ in range(10))]
    encoding = PayloadCodec().encoding("e1")
    column = encoding.encode(value)

    assert [len(data) for _, data in encoding.payloads] == [len(msgspec.json.encode(value))]
    assert column[0] == b"null"


def test_parts_are_not_looked_for_without_end(counted: Counted) -> None:
    value: JsonValue = LARGE
    for _ in range(50):
        value = [value]
    encoding = PayloadCodec().encoding("e1")
    _ = encoding.encode(value)

    assert len(encoding.payloads) == 1
    assert counted.large == 1


# ------------------------------------------------------------ from commit to commit


def committed(codec: PayloadCodec, commit: Commit) -> CommitEncoding:
    encoding = codec.encoding(commit.execution)
    _ = encoding.encode_list(commit.events)
    if commit.snapshot is not None:
        _ = encoding.encode(commit.snapshot)
    codec.durable(commit, encoding)
    return encoding


def test_a_value_that_is_stored_is_neither_encoded_nor_sent_again(counted: Counted) -> None:
    codec = PayloadCodec()
    first = beginning("e1", accepted("e1", LARGE))
    committed(codec, first)
    second = committed(codec, following(first, *outputs(LARGE)))

    assert counted.large == 1
    assert second.payloads == []


def test_a_commit_of_unknown_fate_is_not_relied_on() -> None:
    codec = PayloadCodec()
    for _ in range(2):
        encoding = codec.encoding("e1")
        _ = encoding.encode_list(outputs(LARGE))
        assert len(encoding.payloads) == 1


def test_a_part_that_was_not_kept_by_itself_is_not_taken_for_stored() -> None:
    codec = PayloadCodec()
    whole: JsonValue = [LARGE, *("y" * 9_000 for _ in range(10))]
    first = beginning("e1", accepted("e1", whole))
    committed(codec, first)

    second = committed(codec, following(first, *outputs(LARGE)))

    assert len(second.payloads) == 1


def test_only_the_execution_that_stored_a_value_relies_on_it() -> None:
    codec = PayloadCodec()
    committed(codec, beginning("e1", accepted("e1", LARGE)))

    assert len(committed(codec, beginning("e2", accepted("e2", LARGE))).payloads) == 1


def test_what_has_ended_is_not_remembered() -> None:
    codec = PayloadCodec()
    first = beginning("e1", accepted("e1", LARGE))
    committed(codec, first)
    committed(codec, completing(first, LARGE))

    assert codec.encoding("e1").splitter is None


def test_a_snapshot_leaves_only_what_it_has() -> None:
    codec = PayloadCodec()
    first = beginning("e1", accepted("e1", LARGE))
    committed(codec, first)
    assert codec.encoding("e1").splitter is not None

    committed(codec, following(first, snapshot=POSITION))

    assert codec.encoding("e1").splitter is None


def test_memory_of_what_is_stored_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workflow_service.adapters.payloads.codec.REMEMBERED", 150_000)
    codec = PayloadCodec()
    for n in range(4):
        committed(codec, beginning(f"e{n}", accepted(f"e{n}", LARGE)))

    remembered = [codec.encoding(f"e{n}").splitter is not None for n in range(4)]

    assert remembered == [False, False, True, True]


# ------------------------------------------------------------ small ones, and damage


def test_small_commits_are_not_looked_into() -> None:
    encoding = PayloadCodec().encoding("e1")
    data, references = encoding.encode_list(outputs(*range(3_000)))

    assert encoding.splitter is None
    assert references is None
    assert data == msgspec.json.encode(outputs(*range(3_000)))


def test_among_many_small_events_only_the_large_ones_are_taken_out() -> None:
    events = outputs(*range(50), LARGE, *range(50))
    encoding = PayloadCodec().encoding("e1")
    column = encoding.encode_list(events)

    assert column[1] is not None
    assert [reference.path for reference in decode_references(column[1])] == [(50, "output")]
    assert decode_events(column[0], taken_out=taken(column, encoding)) == events


def test_what_was_changed_or_lost_is_told() -> None:
    with pytest.raises(DamagedPayload, match="changed"):
        opened("0" * 64, b"1")
    with pytest.raises(DamagedPayload, match="lost"):
        opened("0" * 64, None)


def test_an_input_that_differs_is_put_back_although_null_is_its_default() -> None:
    event = TaskStarted("/do/0/a", input={"deep": {"er": LARGE}})

    assert back([event], 1_000) == [event]
