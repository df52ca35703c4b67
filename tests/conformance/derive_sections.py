"""Derives the list of the standard's sections and their properties from its texts: `sections.yaml`.

    python -m tests.conformance.derive_sections FOLDER > tests/conformance/sections.yaml

FOLDER holds `dsl.md` and `dsl-reference.md` of the Open Workflow Specification. Only headings and the first column of
tables are taken.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

TEXTS = {"dsl-reference": "dsl-reference.md", "dsl": "dsl.md"}
_SKIPPED = {
    "Table of Contents", "Abstract", "Definitions", "Examples", "Motivation", "Priority of Constituencies", "Design",
    "Concepts", "Open Workflow DSL", "Open Workflow DSL - Reference",
}  # fmt: skip
_HEADING = re.compile(r"(#+)\s+(.+?)\s*$")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9.\-]*")


class Section:
    """One heading, with the names in its tables."""

    def __init__(self, title: str, anchor: str) -> None:
        self.title = title
        self.anchor = anchor
        self.properties: list[str] = []


def sections(text: str) -> list[Section]:
    """The sections of one text, in order; a heading "Properties" belongs to the one above."""
    found: list[Section] = []
    for line in _without_code(text):
        heading = _HEADING.match(line)
        if heading is None:
            if found and line.startswith("|"):
                _add_property(found[-1], line)
        elif heading[2] != "Properties" and heading[2] not in _SKIPPED:
            found.append(Section(heading[2], _anchor(heading[2])))
    return found


def _without_code(text: str) -> Iterator[str]:
    inside = False
    for line in text.splitlines():
        if line.strip().startswith("```"):
            inside = not inside
        elif not inside:
            yield line


def _add_property(section: Section, row: str) -> None:
    first = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", row.strip("| ").split("|")[0])
    name = re.sub(r"<[^>]*>|[`\"*]", "", first).strip()
    name = name.rpartition("/")[2] if "://" in name else name
    known = {
        "Name",
        "Type",
        "Phase",
        "Property",
        "Language",
        "Directive",
        "string",
        *section.properties,
    }
    if _NAME.fullmatch(name) and name not in known:
        section.properties.append(name)


def _anchor(title: str) -> str:
    return re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-")


def _written(folder: Path) -> Iterator[str]:
    yield "# Made by derive_sections.py from the texts of the Open Workflow Specification; not edited by hand."
    for name, file in TEXTS.items():
        yield f"{name}:"
        for section in sections((folder / file).read_text("utf-8")):
            properties = ", ".join(section.properties)
            yield f"  - {{anchor: {section.anchor}, title: {section.title!r}, properties: [{properties}]}}"


if __name__ == "__main__":
    sys.stdout.write("\n".join([*_written(Path(sys.argv[1])), ""]))
