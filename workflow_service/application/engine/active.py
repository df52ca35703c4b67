"""What this process works on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field

from workflow_service.application.ports import Summary
from workflow_service.domain.definition.model import Definition
from workflow_service.domain.execution.effects import Effect
from workflow_service.domain.execution.schedule import performing
from workflow_service.domain.execution.state import Open, Performing, State


@dataclass(slots=True)
class Known:
    """What this process knows of an execution; forgotten whenever the store may know better."""

    definition: Definition
    state: State
    sequence: int
    epoch: int
    summary: Summary | None
    snapshot_sequence: int

    @property
    def awaited(self) -> Iterator[Effect]:
        """The effects whose outcome the execution waits for."""
        if isinstance(self.state, Open):
            for frame in performing(self.state):
                if isinstance(frame.activity, Performing):
                    yield frame.activity.effect


@dataclass(slots=True)
class Active:
    """One execution under work: its turn, what is known of it, and its effects under way."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    known: Known | None = None
    effects: dict[int, asyncio.Task[None]] = field(default_factory=dict)
    users: int = 0

    @property
    def attended(self) -> bool:
        """Whether somebody is about to change it, or all that it waits for is under way."""
        if self.known is None or self.turn.locked():
            return True
        return all(effect.number in self.effects for effect in self.known.awaited)

    def stop_unawaited(self) -> None:
        """Stop the effects whose outcome nobody awaits any longer."""
        awaited = {effect.number for effect in self.known.awaited} if self.known else set()
        unawaited = self.effects.keys() - awaited
        if not unawaited:
            return
        current = asyncio.current_task()
        for number in sorted(unawaited):
            if (task := self.effects[number]) is not current:
                task.cancel()


class ActiveExecutions:
    """The executions under work, each with one stimulus at a time."""

    def __init__(self) -> None:
        self._active: dict[str, Active] = {}

    def __len__(self) -> int:
        return len(self._active)

    def get(self, execution: str) -> Active | None:
        """Return one, if it is under work."""
        return self._active.get(execution)

    def use(self, execution: str) -> Use:
        """Keep an execution under work; it is forgotten when nobody uses it and no effect of it is under way."""
        return Use(self._active, execution)


class Use:
    """Inside (`with`) an execution is kept under work. A class, since a generator costs some times as much."""

    __slots__ = ("_among", "_execution", "_used")

    def __init__(self, among: dict[str, Active], execution: str) -> None:
        self._among = among
        self._execution = execution

    def __enter__(self) -> Active:
        active = self._among.get(self._execution)
        if active is None:
            active = self._among[self._execution] = Active()
        active.users += 1
        self._used = active
        return active

    def __exit__(self, *_: object) -> None:
        active = self._used
        active.users -= 1
        if active.users == 0 and not active.effects:
            self._among.pop(self._execution, None)
