"""`autoworker up`: the whole suite in this process, and the example before the audience's eyes."""

import contextlib
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

import msgspec
import typer
import uvloop
from rich.console import Console
from rich.table import Table
from rich.text import Text

from autoworker import data_dir, shop, suite
from autoworker.cli import looks
from autoworker.cli.failing import program
from autoworker.cli.watching import show_outcome, watch
from autoworker.client import Client
from autoworker.errors import AutoworkerError, Unauthenticated
from autoworker.model import JsonValue
from autoworker.settings import SuiteSettings, suite_settings
from autoworker.suite import Running
from chassis.config import SettingsInvalid
from chassis.lifecycle import Supervisor, run_until_stopped
from chassis.telemetry.logging import configure_logging

EXAMPLES: Final = Path(__file__).resolve().parent.parent.parent / "examples"
_NOT_LOGGED_IN: Final = (
    "  The example was not run: the administrator's password is not known here.\n"
    "  [dim]Set AUTOWORKER_ADMIN_EMAIL and AUTOWORKER_ADMIN_PASSWORD to run it.[/]"
)
_RESERVED: Final = 20.0
"""Seconds that stopping may take besides the gateway's draining."""


def serve(*, example: bool) -> int:
    """Run the suite until SIGTERM or SIGINT; the exit code."""
    try:
        settings = suite_settings()
    except SettingsInvalid as exc:
        for problem in exc.problems:
            _tell(problem)
        return 1
    _configure_logging(settings)
    http = settings.gateway
    drain = http.drain_delay + http.drain_timeout + _RESERVED
    code = uvloop.run(
        run_until_stopped(_service(settings, example=example), drain=drain, tell=_tell)
    )
    if code == 0:
        typer.echo("Stopped. Everything is kept in " + str(settings.data_dir) + ".")
    return code


def _configure_logging(settings: SuiteSettings) -> None:
    level = settings.own.log_level or ("WARNING" if sys.stderr.isatty() else "INFO")
    configure_logging(level, to="stderr")


def _tell(problem: str) -> None:
    typer.echo(f"error: {problem}", err=True)


@asynccontextmanager
async def _service(settings: SuiteSettings, *, example: bool) -> AsyncIterator[Running]:
    console, _ = looks.consoles()
    async with AsyncExitStack() as stack:
        stack.enter_context(data_dir.held(settings.data_dir))
        shop_address = None
        if example:
            # First: an order that a crash interrupted calls it as soon as the engine runs.
            ledger = settings.data_dir / "example-shop.jsonl"
            open_shop = shop.running(ledger, settings.own.example_port)
            shop_address = await stack.enter_async_context(open_shop)
            settings = _admitting(settings, shop_address)
        running = await stack.enter_async_context(suite.running(settings))
        _banner(running, settings, shop_address, console)
        supervisor = await stack.enter_async_context(Supervisor(deadline=2.0))
        if shop_address is None:
            _ready(running, console)
        else:
            _ = supervisor.spawn("example", _show_example(running, shop_address, console))
        yield running


def _admitting(settings: SuiteSettings, address: str) -> SuiteSettings:
    """Workflows may call the shop, and nothing else on this machine."""
    allow = (*settings.workflow.egress_allow, address)
    return replace(settings, workflow=replace(settings.workflow, egress_allow=allow))


def _banner(
    running: Running, settings: SuiteSettings, shop_address: str | None, console: Console
) -> None:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim")
    table.add_column()
    table.add_row("API", f"[bold]{running.url}[/]")
    table.add_row("Docs", f"{running.url}/docs")
    table.add_row("Administrator", running.administrator)
    table.add_row("Password", _password(running, settings))
    table.add_row("Data", str(settings.data_dir))
    if shop_address is not None:
        table.add_row("Example's shop", f"http://{shop_address}")
    console.print()
    console.print("  [bold cyan]Autoworker[/] is up")
    console.print()
    console.print(looks.indented(table))
    console.print()


def _password(running: Running, settings: SuiteSettings) -> Text:
    kept = data_dir.admin_file(settings.data_dir)
    if running.generated:
        return Text(running.password or "", style="bold").append(
            f"  (generated now; kept in {kept})", style="dim not bold"
        )
    if kept.exists():
        return Text(f"as at the first start; kept in {kept}", style="dim")
    return Text("the one you chose", style="dim")


def _ready(running: Running, console: Console) -> None:
    console.print(f"  [green]●[/] Serving on [bold]{running.url}[/]  [dim]Ctrl-C to stop[/]\n")


async def _show_example(running: Running, shop_address: str, console: Console) -> None:
    """Run the example once; whatever comes of it, the suite goes on serving."""
    try:
        if running.password is None:
            console.print(_NOT_LOGGED_IN)
        else:
            await _run_example(running, running.password, f"http://{shop_address}", console)
    except Unauthenticated:
        console.print(_NOT_LOGGED_IN)
    except (AutoworkerError, OSError, ValueError) as exc:
        console.print(Text(f"  The example did not run: {exc}", style="red"))
    console.print()
    _ready(running, console)
    commands = ("run examples/order.yaml", "executions")
    console.print("  [dim]Meanwhile, in another terminal:[/]")
    for command in commands:
        console.print(f"    {program()} {command}")
    console.print()


async def _run_example(running: Running, password: str, shop_url: str, console: Console) -> None:
    document = (EXAMPLES / "order.yaml").read_bytes()
    order: dict[str, JsonValue] = msgspec.json.decode((EXAMPLES / "order.input.json").read_bytes())
    async with Client(running.url, email=running.administrator, password=password) as client:
        definition = await client.publish(document)
        await client.publish((EXAMPLES / "hello.yaml").read_bytes())
        execution = await client.start(definition.reference, {**order, "shop": shop_url})
        console.print(f"  [bold]{definition.reference}[/]  [dim]{execution.id}[/]\n")
        progress = await watch(client, execution, console)
        console.print()
        show_outcome(progress, console)
        with contextlib.suppress(AutoworkerError):
            await client.logout()
