"""Following an execution on the terminal, or line by line where there is none."""

import contextlib
from collections.abc import Callable, Iterator

from rich.console import Console, RenderableType
from rich.constrain import Constrain
from rich.live import Live

from autoworker.cli import looks
from autoworker.cli.progress import Mark, Progress
from autoworker.client import Client
from autoworker.errors import AutoworkerError
from autoworker.model import Event, Execution, JsonValue
from chassis.clock import SystemClock

_CLOCK = SystemClock()
_MARGIN = 4
"""Lines and columns of the terminal that the live view leaves alone."""


async def watch(client: Client, execution: Execution, console: Console) -> Progress:
    """Show *execution* until it has ended; what it came to.

    Raises:
        AutoworkerError: it cannot be followed.
    """
    progress = Progress(await _document(client, execution))
    seen = _live(progress, console) if console.is_terminal else _plain(progress, console)
    with seen as show:
        async with contextlib.aclosing(client.events(execution.id)) as events:
            async for event in events:
                show(event)
    return progress


def show_outcome(progress: Progress, console: Console) -> None:
    """Tell how it ended."""
    seconds = None
    if progress.started and progress.ended:
        seconds = (progress.ended - progress.started).total_seconds()
    for part in looks.outcome(progress.status, seconds, progress.output, progress.problem):
        console.print(part)


async def _document(client: Client, execution: Execution) -> dict[str, JsonValue]:
    # Only to tell kinds of tasks: without it there is less to see, and nothing wrong.
    with contextlib.suppress(AutoworkerError):
        definition = await client.definition(execution.workflow)
        return dict(definition.document or {})
    return {}


@contextlib.contextmanager
def _live(progress: Progress, console: Console) -> Iterator[Callable[[Event], None]]:
    def frame() -> RenderableType:
        tree = looks.live_tree(progress, _CLOCK.now(), height=console.height - _MARGIN)
        # Room for the ^C that a terminal echoes: a line that wraps would spoil the picture.
        return Constrain(tree, console.width - _MARGIN)

    live = Live(get_renderable=frame, console=console, refresh_per_second=12, transient=True)
    try:
        with live:
            yield lambda event: _ignored(progress.apply(event))
    finally:
        # Also when somebody stops watching: what was seen stays.
        console.print(looks.live_tree(progress, _CLOCK.now()))


@contextlib.contextmanager
def _plain(progress: Progress, console: Console) -> Iterator[Callable[[Event], None]]:
    def show(event: Event) -> None:
        before = {reference: task.mark for reference, task in progress.tasks.items()}
        task = progress.apply(event)
        if task and task.mark is not Mark.RUNNING and task.mark is not before.get(task.reference):
            console.print(looks.plain_task(task, event.time), markup=False)

    yield show


def _ignored(_: object) -> None:
    return None
