"""The commands."""

from pathlib import Path
from typing import Annotated

import typer

from autoworker.cli import (
    audit,
    authoring,
    dead_letters,
    deploying,
    keys,
    looks,
    mfa,
    migrating,
    oauth_clients,
    operating,
    policies,
    roles,
    schedules,
    secrets,
    store,
    users,
)
from autoworker.cli.connection import connected, kept, login_store, url_of
from autoworker.cli.failing import fail, finished
from autoworker.cli.reading import history_line, input_of
from autoworker.cli.watching import show_outcome, watch
from autoworker.client import Client
from autoworker.errors import AutoworkerError
from autoworker.model import Execution, JsonValue
from chassis.clock import SystemClock
from chassis.config import Environment

HELP = """Durable workflows behind one API gateway, on this machine.

Start everything     autoworker up --example
Run a workflow       autoworker run examples/hello.yaml
See what runs        autoworker executions
See what happened    autoworker logs EXECUTION
Check a file         autoworker validate examples/order.yaml
Test a workflow      autoworker test examples/order.yaml
Draw a workflow      autoworker graph examples/order.yaml
Before a new version autoworker check-deploy examples/order.yaml

Next to a suite that runs on this machine, nothing needs to be set.
Elsewhere set AUTOWORKER_URL and log in once.
"""

app = typer.Typer(
    name="autoworker",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    add_completion=False,
    help=HELP,
)
app.add_typer(audit.app)
app.add_typer(dead_letters.app)
app.add_typer(policies.app)
app.add_typer(oauth_clients.app)
app.add_typer(roles.app)
app.add_typer(users.app)
app.add_typer(schedules.app)
app.add_typer(secrets.app)
app.add_typer(keys.app)
app.add_typer(mfa.app)
app.add_typer(migrating.app)
app.add_typer(store.app)
app.command("validate")(authoring.validate)
app.command("test")(authoring.run_cases)
app.command("graph")(authoring.graph)
app.command("check-deploy")(deploying.check_deploy)
app.command("make-keys")(operating.make_keys)
app.command("ready")(operating.ready)
Url = Annotated[str | None, typer.Option("--url", help="Where the gateway is.", show_default=False)]


def main() -> None:
    """Run the command line."""
    app()


@app.command()
def up(
    example: Annotated[
        bool, typer.Option("--example", help="Run the order example once, live, before serving.")
    ] = False,
) -> None:
    """Start all services in this process and serve until Ctrl-C.

    Everything is kept in the data directory (AUTOWORKER_DATA_DIR, ./data):
    the next start goes on where this one stopped.
    AUTOWORKER_HTTP_PORT chooses another port than 8080.

        autoworker up --example
        AUTOWORKER_HTTP_PORT=9000 autoworker up
    """
    # Only now: the services take a second to import, which no other command needs.
    from autoworker.cli.up import serve

    raise typer.Exit(serve(example=example))


@app.command()
def run(
    file: Annotated[Path, typer.Argument(help="A workflow, YAML or JSON.", show_default=False)],
    input: Annotated[
        str | None,
        typer.Option(
            "--input",
            "-i",
            help="JSON, @FILE with JSON, or @- for stdin. Without it NAME.input.json beside the "
            "workflow is taken, if there is one.",
            show_default=False,
        ),
    ] = None,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Follow it to its end, or leave it running.")
    ] = True,
    url: Url = None,
) -> None:
    """Register a workflow, start it, and follow it to its end.

    Progress goes to stderr, the output as JSON to stdout.
    The exit code is 0 when it completed, and 1 otherwise.
    With --no-wait only the id of the execution is printed.

        autoworker run examples/hello.yaml -i '{"name": "Ada"}'
        autoworker run examples/order.yaml -i @order.json | jq .total
    """
    text = _content(file)
    given = input_of(input, file)
    completed = finished(_run(connected(url), text, given, wait=wait))
    raise typer.Exit(0 if completed else 1)


@app.command()
def executions(
    status: Annotated[
        str, typer.Option(help="Only these phases, separated by commas.", show_default=False)
    ] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 20,
    url: Url = None,
) -> None:
    """List executions, newest first.

    autoworker executions --status running,waiting
    """
    finished(_list(connected(url), status, limit))


@app.command()
def logs(
    execution: Annotated[str, typer.Argument(help="Its id.", show_default=False)],
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on until the execution has ended.")
    ] = False,
    url: Url = None,
) -> None:
    """Show what happened to an execution.

    autoworker logs 0199f0c2-… -f
    """
    finished(_logs(connected(url), execution, follow=follow))


@app.command()
def login(
    email: Annotated[str | None, typer.Option(help="Who you are.", show_default=False)] = None,
    url: Url = None,
) -> None:
    """Log in, and keep the session for the commands that follow.

    The password is asked for, or taken from AUTOWORKER_PASSWORD; so is the code of a second
    factor, if there is one.
    It is not kept; the session is, in a file that only you can read,
    below XDG_STATE_HOME (~/.local/state).

        AUTOWORKER_URL=https://autoworker.example.com autoworker login
    """
    env = Environment()
    who = email or env.optional("AUTOWORKER_EMAIL") or typer.prompt("E-mail")
    password = env.secret("AUTOWORKER_PASSWORD") or typer.prompt("Password", hide_input=True)
    place = url_of(url, env)
    finished(_login(place, who, password))
    typer.echo(f"Logged in at {place} as {who}.")


@app.command()
def logout(url: Url = None) -> None:
    """End the session that `login` has kept."""
    place = url_of(url, Environment())
    typer.echo("Logged out." if finished(_logout(place)) else f"Nobody is logged in at {place}.")


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as exc:
        fail(f"cannot read {file}: {exc.strerror}")


async def _run(client: Client, document: bytes, given: JsonValue, *, wait: bool) -> bool:
    out, err = looks.consoles()
    async with client:
        definition = await client.publish(document)
        execution = await client.start(definition.reference, given)
        if not wait:
            out.print(execution.id)
            return True
        err.print(f"{definition.reference}  [dim]{execution.id}[/]\n")
        progress = await watch(client, execution, err)
        err.print()
        if progress.status != "completed":
            show_outcome(progress, err)
            return False
        out.print(looks.pretty(progress.output), markup=False)
        return True


async def _list(client: Client, status: str, limit: int) -> None:
    out, err = looks.consoles()
    found: list[Execution] = []
    async with client:
        async for execution in client.list(status=status, limit=min(limit, 200)):
            found.append(execution)
            if len(found) == limit:
                break
    if found:
        out.print(looks.executions_table(found, SystemClock().now()))
    else:
        err.print("Nothing has been run yet." if not status else "None.")


async def _logs(client: Client, execution: str, *, follow: bool) -> None:
    out, _ = looks.consoles()
    async with client:
        first = (await client.get(execution)).created_at
        events = client.events(execution) if follow else client.history(execution)
        async for event in events:
            out.print(history_line(event, first))


async def _login(url: str, email: str, password: str) -> None:
    store = login_store(Environment())
    async with Client(url) as client:
        tokens = await mfa.logged_in(client, email, password)
    async with store.changing():
        store.write(url, kept(email, tokens))


async def _logout(url: str) -> bool:
    store = login_store(Environment())
    if url not in store.read().sessions:
        return False
    async with connected(url) as client:
        try:
            await client.logout()
        except AutoworkerError as exc:
            typer.echo(f"note: the session could not be ended there: {exc}", err=True)
    async with store.changing():
        store.write(url, None)
    return True
