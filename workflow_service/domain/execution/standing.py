"""At which tasks an execution stands."""

from __future__ import annotations

from collections.abc import Iterator

from workflow_service.domain.execution.state import Faulted, Halted, Open, State


def standing_at(state: State) -> Iterator[str]:
    """Yield the reference of each innermost task under way, each once; empty: nothing has begun."""
    if not isinstance(state, Open):
        return
    live = [f for f in state.frames.values() if not isinstance(f.activity, Faulted | Halted)]
    owners = {frame.parent for frame in live if frame.id}
    tasks = [frame.task for frame in live if frame.id not in owners]
    yield from dict.fromkeys(tasks or [""])
