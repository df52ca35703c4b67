"""The commands for those who write workflows. None of them needs a server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer


def validate(
    files: Annotated[
        list[Path],
        typer.Argument(help="Workflows, YAML or JSON; - for stdin.", show_default=False),
    ],
    as_json: Annotated[
        bool, typer.Option("--json", help="Tell the problems as JSON, for editors and CI.")
    ] = False,
) -> None:
    """Check workflows without a server, and tell all that is wrong with them.

    Each problem comes with its line and the JSON Pointer of its place.
    The exit code is 1 when there is any.

        autoworker validate examples/*.yaml
        cat order.yaml | autoworker validate - --json
    """
    from autoworker.cli.validating import validate as all_fine

    raise typer.Exit(0 if all_fine(files, as_json=as_json) else 1)


def run_cases(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="Files of cases, or workflows that have one beside them.", show_default=False
        ),
    ],
    case: Annotated[
        str,
        typer.Option(
            "--case", "-k", help="Only cases with this in their name.", show_default=False
        ),
    ] = "",
    junit: Annotated[
        Path | None,
        typer.Option(help="Write the results as JUnit XML, for CI.", show_default=False),
    ] = None,
    coverage: Annotated[
        bool, typer.Option("--coverage", help="Show how often every task was reached.")
    ] = False,
    min_coverage: Annotated[
        int, typer.Option(min=0, max=100, help="Fail when fewer percent of the tasks are reached.")
    ] = 0,
) -> None:
    """Test workflows: cases with mocked calls, in virtual time, without a server.

    order.test.yaml beside order.yaml says for each case what goes in, how the
    world answers, and what has to come of it:

        cases:
          - name: a small order is shipped
            input: {items: 1}
            mocks:
              - {http: POST https://shop.example/orders, answer: {body: {id: 7}}}
            expect: {output: {id: 7}, duration: PT30S}

    A call without a mock fails the case. Time jumps: a month takes no time.
    The exit code is 1 when a case fails, and 2 when a file cannot be used.
    More in docs/testing.md.

        autoworker test examples/order.yaml
        autoworker test examples/*.test.yaml --junit results.xml --min-coverage 90
    """
    from autoworker.cli.rehearsing import Wanted, rehearse

    raise typer.Exit(rehearse(files, Wanted(case, junit, coverage, min_coverage)))


def graph(
    file: Annotated[
        Path, typer.Argument(help="A workflow, YAML or JSON; - for stdin.", show_default=False)
    ],
    format_: Annotated[
        Literal["mermaid", "svg"], typer.Option("--format", "-f", help="What to draw it as.")
    ] = "mermaid",
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Where it goes; stdout if not said.", show_default=False
        ),
    ] = None,
) -> None:
    """Draw a workflow: what follows what, what is caught, tried again, and done side by side.

    Mermaid's text is drawn by GitHub, GitLab and many editors. An SVG file shows
    in every browser.

        autoworker graph examples/order.yaml
        autoworker graph examples/order.yaml -f svg -o order.svg
    """
    from autoworker.cli.drawing import draw

    draw(file, format_, output)
