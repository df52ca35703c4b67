"""A state that is being changed: many changes copy its frames once and not many times."""

from __future__ import annotations

from msgspec.structs import replace

from workflow_service.domain.execution.state import Frame, HistoryBroken, Open, State


class Draft:
    """A private copy of a state, to which facts are applied."""

    __slots__ = ("_owned", "frames", "state")

    def __init__(self, state: State) -> None:
        self.become(state)

    def become(self, state: State) -> None:
        """Put *state* in the place of what there was."""
        self.state: State = state
        self._owned = False
        self.frames: dict[str, Frame] = state.frames if isinstance(state, Open) else {}

    @property
    def open(self) -> Open:
        """The state, of which it is known that it is open.

        Raises:
            HistoryBroken: it is not.
        """
        if isinstance(self.state, Open):
            return self.state
        raise HistoryBroken(f"an execution that is {type(self.state).__name__} cannot go on")

    def frame(self, frame_id: str) -> Frame:
        """Return a frame.

        Raises:
            HistoryBroken: there is none with that id.
        """
        try:
            return self.frames[frame_id]
        except KeyError:
            raise HistoryBroken(f"no task is under way at {frame_id!r}") from None

    def inside(self, frame_id: str) -> list[Frame]:
        """Return the frames below one, parents first."""
        if len(self.frames) <= 1:
            return []
        found = [frame for frame in self.frames.values() if frame.parent == frame_id and frame.id]
        for frame in found:  # grows while it is walked
            found.extend(
                below for below in self.frames.values() if below.parent == frame.id and below.id
            )
        return found

    def drop(self, frame_id: str) -> None:
        """Forget a frame."""
        del self._own()[frame_id]

    def drop_inside(self, frame_id: str) -> None:
        """Forget all frames below one."""
        for frame in self.inside(frame_id):
            self.drop(frame.id)

    def change(self, frame_id: str, **changes: object) -> None:
        """Change fields of a frame."""
        self.put(replace(self.frame(frame_id), **changes))

    def put(self, frame: Frame) -> None:
        """Add a frame, or put it in the place of the one with its id."""
        self._own()[frame.id] = frame

    def _own(self) -> dict[str, Frame]:
        if not self._owned:
            opened = self.open
            self.frames = dict(self.frames)
            self.state = replace(opened, frames=self.frames)
            self._owned = True
        return self.frames
