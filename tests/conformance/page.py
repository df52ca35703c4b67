"""Writes docs/conformance.md: every section of the standard, with the scenarios that cover it.

    make conformance-doc

What the page says comes from the files alone. That the scenarios pass in every way named is what the tests of this
folder show; a page that does not fit the files fails them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Final

import msgspec

from autoworker.testing.cases import read_as
from tests.conformance.scenario import WAYS, Scenario, Way, scenarios

PAGE: Final = Path(__file__).parents[2] / "docs" / "conformance.md"
_SECTIONS: Final = Path(__file__).parent / "sections.yaml"
_HEAD: Final = """\
# Conformance

What of the Open Workflow Specification DSL is shown to work, section by section. Each scenario is a small workflow with its input, the
answers of the world and all that has to come of it. It is run in three ways:

- **core**: by the engine's pure core in virtual time;
- **suite**: through the whole suite over HTTP, with real servers outside;
- **crash**: in the core, with a crash after every commit; the state is rebuilt from what was recorded, and calls are repeated.

The numbers count the scenarios of a section in each way. `tests/conformance` runs them all, so they pass wherever the tests do. A section or
property without a scenario is told as such; what the runtime does not do yet is in [workflows.md](workflows.md).

This page is made from the scenarios by `make conformance-doc`.
"""
_TEXTS: Final = {"dsl-reference": "The reference", "dsl": "The language"}


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A section of the standard."""

    anchor: str
    title: str
    properties: list[str]


@cache
def texts() -> dict[str, list[Section]]:
    """The sections of each of the standard's texts."""
    return read_as(_SECTIONS.read_bytes(), dict[str, list[Section]], _SECTIONS.name)


def place(covered: str) -> tuple[str, str, str]:
    """Text, anchor and property (perhaps empty) that an entry of `covers` names."""
    text, slash, rest = covered.partition("/")
    anchor, _, name = (rest if slash else text).partition(".")
    return (text if slash else "dsl-reference"), anchor, name


def unknown(covered: str) -> bool:
    """Whether the standard has no such section or property."""
    text, anchor, name = place(covered)
    section = next((each for each in texts().get(text, []) if each.anchor == anchor), None)
    return section is None or bool(name and name not in section.properties)


def page() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *(line for text in texts() for line in _of_text(text))])


def _of_text(text: str) -> Iterator[str]:
    yield f"## {_TEXTS[text]}\n"
    yield "| section | properties | without a scenario | core | suite | crash |"
    yield "| --- | --- | --- | --: | --: | --: |"
    for section in texts()[text]:
        yield _row(text, section)
    yield f"\n### Scenarios of {_TEXTS[text].lower()}\n"
    for section in texts()[text]:
        if found := _covering(text, section):
            yield f"**{section.title}**\n"
            yield from (_line(text, section, each) for each in found)
            yield ""


def _row(text: str, section: Section) -> str:
    found = [each for each in _covering(text, section) if not each.missing]
    named = {name for each in found for name in _properties(text, section, each)}
    left = [name for name in section.properties if name not in named]
    if section.properties:
        share, without = (
            f"{len(named)} of {len(section.properties)}",
            ", ".join(f"`{name}`" for name in left),
        )
    else:
        share, without = "", "" if found else "the section"
    counts = [str(sum(way in _ways(each) for each in found)) for way in WAYS]
    return f"| {section.title} | {share} | {without} | {' | '.join(counts)} |"


def _line(text: str, section: Section, scenario: Scenario) -> str:
    names = ", ".join(f"`{name}`" for name in _properties(text, section, scenario))
    about = f" ({names})" if names else ""
    ways = (
        f"not yet: {', '.join(scenario.missing)}"
        if scenario.missing
        else ", ".join(_ways(scenario))
    )
    because = f"; {scenario.because}" if scenario.because else ""
    return f"- {scenario.name}{about}: {ways}{because}"


def _ways(scenario: Scenario) -> Sequence[Way]:
    """A definition that is refused has nothing that could crash."""
    return [
        way for way in WAYS if way in scenario.only and not (scenario.refused and way == "crash")
    ]


def _covering(text: str, section: Section) -> list[Scenario]:
    wanted = (text, section.anchor)
    return [each for each in scenarios() if wanted in {place(entry)[:2] for entry in each.covers}]


def _properties(text: str, section: Section, scenario: Scenario) -> list[str]:
    named = {place(entry) for entry in scenario.covers}
    return [name for name in section.properties if (text, section.anchor, name) in named]


def main(arguments: list[str]) -> int:
    """Write the page; with `--check` only tell whether it is as it should be."""
    if "--check" not in arguments:
        PAGE.write_text(page(), encoding="utf-8")
        return 0
    if PAGE.read_text(encoding="utf-8") == page():
        return 0
    sys.stderr.write("The page about conformance has drifted. Run: make conformance-doc\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
