"""`autoworker policies`: what is refused although roles allow it, and why something is."""

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
import yaml

from autoworker.cli import looks
from autoworker.cli.connection import connected
from autoworker.cli.failing import fail, finished
from autoworker.client import Client
from autoworker.model import JsonValue
from autoworker.policies import Explained, NewPolicy, Policy

app = typer.Typer(
    name="policies",
    no_args_is_help=True,
    help="What is refused although roles allow it; for administrators.",
)
_Url = Annotated[
    str | None, typer.Option("--url", help="Where the gateway is.", show_default=False)
]
_Name = Annotated[str, typer.Argument(help="The policy.", metavar="POLICY", show_default=False)]
_Given = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME=VALUE", help="An attribute; the value is JSON, or else a text."),
]


@app.command("list")
def list_(url: _Url = None) -> None:
    """List the policies in force."""
    finished(_list(connected(url)))


@app.command()
def apply(
    file: Annotated[
        Path, typer.Argument(help="YAML or JSON: a policy, or a list of policies.", exists=True)
    ],
    url: _Url = None,
) -> None:
    """Make or change policies; what is in force already stays as it is.

    autoworker policies apply policies.yaml
    """
    for policy in finished(_apply(connected(url), _read(file))):
        typer.echo(f"{policy.name}: version {policy.version}, {policy.effect}, {policy.mode}")


@app.command()
def delete(name: _Name, url: _Url = None) -> None:
    """Delete a policy; its versions stay, and can be gone back to."""
    finished(_delete(connected(url), name))
    typer.echo(f"{name} is deleted.")


@app.command()
def versions(name: _Name, url: _Url = None) -> None:
    """List what a policy has been, newest first."""
    finished(_versions(connected(url), name))


@app.command()
def rollback(
    name: _Name,
    version: Annotated[int, typer.Argument(help="Which of them.", min=1)],
    url: _Url = None,
) -> None:
    """Take up again what a policy said in some version."""
    policy = finished(_roll_back(connected(url), name, version))
    typer.echo(f"{policy.name}: version {policy.version}, as version {version}")


@app.command()
def explain(
    action: Annotated[str, typer.Argument(help="A permission, such as executions:write.")],
    user: Annotated[str, typer.Option("--user", help="The id of whoever would do it.")] = "",
    role: Annotated[
        list[str] | None, typer.Option("--role", help="A role to suppose instead.")
    ] = None,
    resource: _Given = None,
    context: _Given = None,
    url: _Url = None,
) -> None:
    """Tell whether somebody may do something, and which role or policy decides.

    autoworker policies explain secrets:write --role user --context address=10.1.2.3
    """
    who: dict[str, JsonValue] = {"id": user} if user else {}
    if role:
        who["roles"] = list(role)
    asked = _explain(connected(url), action, who, _values(resource), _values(context))
    _tell(action, finished(asked))


def _read(file: Path) -> list[NewPolicy]:
    try:
        found: Any = yaml.load(file.read_bytes(), Loader=yaml.CSafeLoader)
        return msgspec.convert(found if isinstance(found, list) else [found], list[NewPolicy])
    except OSError as exc:
        fail(f"cannot read {file}: {exc.strerror}")
    except (yaml.YAMLError, RecursionError):
        fail(f"{file} is not YAML")
    except msgspec.ValidationError as exc:
        fail(f"{file}: {exc}")


def _values(given: list[str] | None) -> dict[str, JsonValue]:
    values: dict[str, JsonValue] = {}
    for text in given or []:
        name, _, value = text.partition("=")
        try:
            values[name] = msgspec.json.decode(value)
        except msgspec.DecodeError:
            values[name] = value
    return values


def _tell(action: str, explained: Explained) -> None:
    typer.echo(f"{action}: {'allowed' if explained.allowed else 'refused'}")
    typer.echo(f"decided by {explained.decided_by}: {explained.reason}")
    if explained.role_path:
        typer.echo(f"permission from: {' -> '.join(explained.role_path)}")
    for each in explained.policies:
        what = "refuses" if each.refuses else "lets pass"
        run = " (dry run)" if each.mode == "dry_run" else ""
        typer.echo(f"  {each.name} v{each.version}{run}: {what}, {each.reason}")


async def _list(client: Client) -> None:
    async with client:
        _show([policy async for policy in client.policies()])


async def _versions(client: Client, name: str) -> None:
    async with client:
        _show([policy async for policy in client.policy_versions(name)])


def _show(policies: list[Policy]) -> None:
    out, err = looks.consoles()
    for each in policies:
        state = "deleted" if each.deleted else each.mode
        line = f"{each.name}\tv{each.version}\t{state}\t{each.effect}\t{','.join(each.actions)}\t"
        out.print(line + each.condition, markup=False, highlight=False, soft_wrap=True)
    if not policies:
        err.print("There are none.")


async def _apply(client: Client, policies: list[NewPolicy]) -> list[Policy]:
    async with client:
        return [await client.put_policy(policy) for policy in policies]


async def _delete(client: Client, name: str) -> None:
    async with client:
        await client.delete_policy(name)


async def _roll_back(client: Client, name: str, version: int) -> Policy:
    async with client:
        return await client.roll_back_policy(name, version)


async def _explain(
    client: Client,
    action: str,
    who: dict[str, JsonValue],
    resource: dict[str, JsonValue],
    context: dict[str, JsonValue],
) -> Explained:
    async with client:
        return await client.explain_decision(action, who, resource=resource, context=context)
