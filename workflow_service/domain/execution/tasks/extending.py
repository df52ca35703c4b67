"""Extensions: tasks that run before and after others.

An extension is put around a task like a skin: the first one of the document is the outermost, so its ``before`` runs
first and its ``after`` last. The tasks of an extension work on data of their own, which begin as the extended task's
input or raw output and are dropped at their end, so that an extension that logs changes nothing. ``exit`` is how they
have a say: what they have come to by then is the raw output of the extended task. In ``before`` the task is thereby
passed over, with all that other extensions would have done from there on.

Source: Open Workflow Specification, DSL reference, "Extension".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NoReturn

from msgspec import UNSET
from msgspec.structs import replace

from workflow_service.domain.definition.task_members import END, EXIT
from workflow_service.domain.definition.vocabulary import kinds_of
from workflow_service.domain.execution import data_flow
from workflow_service.domain.execution.events import TaskExtended, TaskStarted
from workflow_service.domain.execution.problem import Raised
from workflow_service.domain.execution.state import Extending, Frame, HistoryBroken

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workflow_service.domain.definition.model import Extension, Task, TaskList
    from workflow_service.domain.execution.advance import Advance
    from workflow_service.domain.execution.problem import Problem
    from workflow_service.domain.expressions import JsonValue


class Extensions:
    """Runs the tasks that extensions put around a task; while they run, this is how the task behaves."""

    def begin(self, advance: Advance, frame: Frame, task: Task) -> NoReturn:
        """Refuse: extensions are around a task, and no task."""
        raise HistoryBroken(f"{frame.id} is no task that begins")

    def enter(self, advance: Advance, frame: Frame, task: Task) -> bool:
        """Begin what comes before *task*; say whether there is anything around it at all."""
        applied = _applied(advance, frame, task)
        if applied:
            changed = frame.input if frame.input is not frame.raw_input else UNSET
            remember = TaskExtended(
                task.reference,
                frame.differing_id,
                activity=Extending(0),
                extensions=applied,
                input=changed,
            )
            self._before(advance, frame, remember)
        return bool(applied)

    def leave(self, advance: Advance, frame: Frame, output: JsonValue, directive: str) -> bool:
        """Begin what comes after a task that has come to *output*; say whether there is anything."""
        last = Extending(len(frame.extensions), after=True, output=output, directive=directive)
        return self._after(advance, frame, last)

    def child_ended(self, advance: Advance, frame: Frame, task: Task, directive: str) -> None:
        """Go on in the list; ``exit`` says what the extended task has come to."""
        place = frame.doing(Extending)
        if directive == EXIT:
            _tell_start(advance, frame, task)
            self._outwards(advance, frame, replace(place, after=True, output=frame.data))
        elif directive == END:
            advance.end_gracefully(frame.data)
        else:
            tasks = _list(advance, frame.extensions, place)
            if tasks is None:
                raise HistoryBroken(f"{frame.id} is in an extension that is not there")
            advance.follow(frame, tasks, place.index, place.round, directive)

    def list_ended(self, advance: Advance, frame: Frame, task: Task) -> None:
        """Go on with the next extension, or with the task itself, or with what comes after it."""
        place = frame.doing(Extending)
        if place.after:
            self._outwards(advance, frame, place)
        else:
            self._before(advance, frame, _extended(frame, Extending(place.at + 1)))

    def child_faulted(self, advance: Advance, frame: Frame, task: Task, problem: Problem) -> None:
        """Fault: what an extension cannot do is an error of the task that it extends."""
        _tell_start(advance, frame, task)
        advance.fault(frame.id, problem)

    def _before(self, advance: Advance, frame: Frame, begun: TaskExtended) -> None:
        """Enter the next list before the task; without one, begin the task."""
        for position in range(begun.activity.at, len(begun.extensions)):
            place = Extending(position)
            tasks = _list(advance, begun.extensions, place)
            if tasks is not None:
                advance.emit(replace(begun, activity=place))
                advance.enter(advance.draft.frame(frame.id), tasks)
                return
        if begun.activity.at == 0:
            advance.emit(begun)  # what comes after the task must not be forgotten
        advance.begin_extended(advance.draft.frame(frame.id), advance.task_of(frame))

    def _outwards(self, advance: Advance, frame: Frame, place: Extending) -> None:
        if not self._after(advance, frame, place):
            advance.complete_extended(frame.id, place.output, place.directive or None)

    def _after(self, advance: Advance, frame: Frame, place: Extending) -> bool:
        """Enter the next list after the task; say whether there is one."""
        for position in range(place.at - 1, -1, -1):
            outer = replace(place, at=position, index=-1, round=0)
            tasks = _list(advance, frame.extensions, outer)
            if tasks is not None:
                advance.emit(_extended(frame, outer))
                advance.enter(advance.draft.frame(frame.id), tasks)
                return True
        return False


EXTENSIONS: Final = Extensions()


def _applied(advance: Advance, frame: Frame, task: Task) -> list[int]:
    """Return which extensions extend *task*: none of them extends tasks of extensions."""
    extensions = advance.definition.extensions
    if not extensions or data_flow.extended_around(advance.opened, frame) is not None:
        return []
    return [
        number
        for number, extension in enumerate(extensions)
        if _applies(advance, frame, task, extension)
    ]


def _applies(advance: Advance, frame: Frame, task: Task, extension: Extension) -> bool:
    """Whether *extension* extends *task*. A condition that fails does not hold.

    The standard's own example asks an object whether it begins with a text, where it might have been a text: such
    conditions are about tasks of every form, and fail on those that they are not meant for.
    """
    if extension.kinds and not extension.kinds.intersection(kinds_of(task.document)):
        return False
    if extension.when is None:
        return True
    shown = {"task": data_flow.described_as_extended(task, frame)}
    try:
        return data_flow.holds(extension.when, frame.input, advance.arguments(frame, task, shown))
    except Raised:
        return False


def _list(advance: Advance, applied: Sequence[int], place: Extending) -> TaskList | None:
    extension = advance.definition.extensions[applied[place.at]]
    return extension.after if place.after else extension.before


def _extended(frame: Frame, place: Extending) -> TaskExtended:
    return TaskExtended(frame.task, frame.differing_id, activity=place, extensions=frame.extensions)


def _tell_start(advance: Advance, frame: Frame, task: Task) -> None:
    """Say that a task has begun which its extensions have kept from it: nothing ends that has not begun."""
    if frame.started_at is None:
        changed = frame.input if frame.input is not frame.raw_input else UNSET
        advance.emit(TaskStarted(task.reference, frame.differing_id, changed))
