"""Recorded histories are read, folded and told by this version as they were by the one that wrote them."""

from pathlib import Path
from typing import get_args

import msgspec
import pytest

from tests.histories.recording import Recording, digest, read, recordings, states
from tests.support.executions import encode_events
from workflow_service.adapters.event_codec import EVENTS_VERSION, decode_events
from workflow_service.application.ports import Recorded
from workflow_service.application.projections.history import About, history_item
from workflow_service.domain.definition.documents import parse_document
from workflow_service.domain.definition.limits import PUBLISHED_BEFORE
from workflow_service.domain.definition.parsing import parse_definition
from workflow_service.domain.execution.events import Event, TaskFact
from workflow_service.domain.execution.evolve import fold
from workflow_service.domain.execution.schedule import status_of
from workflow_service.domain.execution.state import NotStarted, State
from workflow_service.domain.execution.workflow_events import WorkflowAccepted, WorkflowFact
from workflow_service.domain.expressions import Expressions

HOW = "record one with: python -m tests.histories.record (see tests/histories/README.md)"


@pytest.fixture(params=recordings(), ids=lambda file: file.stem)
def recording(request: pytest.FixtureRequest) -> Recording:
    file: Path = request.param
    return read(file)


def events_of(recording: Recording) -> list[Recorded]:
    """Every event with its time, read as the store reads it."""
    read_back: list[Recorded] = []
    for commit in recording.commits:
        for event in decode_events(msgspec.json.encode(commit.events), commit.version):
            read_back.append(Recorded(len(read_back) + 1, commit.at, event))
    return read_back


def test_it_comes_to_the_same_state(recording: Recording) -> None:
    final = states(recording.commits)[-1]

    assert status_of(final) == recording.status
    assert digest(final) == recording.digest


def test_it_can_be_taken_up_anywhere(recording: Recording) -> None:
    """A snapshot after any event, and the events after it, come to the same state."""
    events = [(item.event, item.at) for item in events_of(recording)]
    final = fold(NotStarted(), events)

    for place in range(1, len(events)):
        stored = msgspec.json.encode(fold(NotStarted(), events[:place]))
        restored: State = msgspec.json.decode(stored, type=State)
        assert fold(restored, events[place:]) == final


def test_it_is_told_to_the_public(recording: Recording) -> None:
    events = events_of(recording)
    first = events[0].event
    assert isinstance(first, WorkflowAccepted)
    about = About(first.execution, first.namespace, first.name, first.version)

    told = [history_item(about, item) for item in events]

    assert [item.sequence for item in told] == list(range(1, len(events) + 1))
    assert all(msgspec.json.encode(item.data) for item in told)


def test_it_is_stored_again_without_a_loss(recording: Recording) -> None:
    events = [item.event for item in events_of(recording)]

    assert decode_events(encode_events(events), EVENTS_VERSION) == events


def test_its_definition_still_compiles(recording: Recording) -> None:
    content = msgspec.json.encode(recording.definition)
    document = parse_document(content, "application/json", PUBLISHED_BEFORE)

    definition = parse_definition(document, Expressions(), limits=PUBLISHED_BEFORE, served=None)

    assert definition is not None


def test_together_they_hold_every_kind_of_fact() -> None:
    recorded = {type(item.event) for file in recordings() for item in events_of(read(file))}
    known: set[type[Event]] = {*get_args(WorkflowFact), *get_args(TaskFact)}

    assert {kind.__name__ for kind in known - recorded} == set(), HOW
