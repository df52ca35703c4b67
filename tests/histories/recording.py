"""One recorded history as a file, and what a reader of this version makes of it."""

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from workflow_service.adapters.event_codec import decode_events
from workflow_service.domain.execution.evolve import fold
from workflow_service.domain.execution.state import NotStarted, State

FOLDER: Final = Path(__file__).parent / "recorded"


class RecordedCommit(msgspec.Struct, frozen=True):
    """Events that were committed together, as they were stored."""

    version: int
    """Of the stored format."""
    at: datetime
    events: list[dict[str, Any]]


class Recording(msgspec.Struct, frozen=True):
    """A history from its acceptance to its end. Only *digest* may ever be written again."""

    name: str
    about: str
    definition: dict[str, Any]
    commits: list[RecordedCommit]
    status: str
    """What the service called it."""
    digest: str
    """Of the state that all events come to."""


def recordings() -> list[Path]:
    """Every file there is."""
    return sorted(FOLDER.glob("*.json"))


def read(file: Path) -> Recording:
    """The recording in *file*."""
    return msgspec.json.decode(file.read_bytes(), type=Recording)


def write(recording: Recording) -> None:
    """Keep *recording*, one event to a line so that a difference can be read."""
    text = msgspec.json.format(msgspec.json.encode(recording), indent=1)
    (FOLDER / f"{recording.name}.json").write_bytes(text + b"\n")


def states(commits: list[RecordedCommit]) -> list[State]:
    """The state after each commit."""
    state: State = NotStarted()
    after = []
    for commit in commits:
        stored = msgspec.json.encode(commit.events)
        state = fold(state, ((e, commit.at) for e in decode_events(stored, commit.version)))
        after.append(state)
    return after


def digest(state: State) -> str:
    """A short name for *state*, the same for the same state."""
    return hashlib.sha256(msgspec.json.encode(state, order="deterministic")).hexdigest()
