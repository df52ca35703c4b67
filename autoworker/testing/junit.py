"""Results in the XML that CI servers read (JUnit)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from xml.etree import ElementTree as Xml

from autoworker.testing.running import Result, Suite


def junit(results: Mapping[str, tuple[Suite, Sequence[Result]]]) -> bytes:
    """One `testsuite` per file, one `testcase` per case; times are those of the workflow, in seconds."""
    root = Xml.Element("testsuites")
    for name, (suite, found) in results.items():
        failed = sum(not result.passed for result in found)
        attributes = {
            "name": name,
            "tests": str(len(found)),
            "failures": str(failed),
            "errors": "0",
        }
        element = Xml.SubElement(root, "testsuite", attributes)
        for result in found:
            _case(element, suite, result)
    return bytes(Xml.tostring(root, encoding="utf-8", xml_declaration=True))


def _case(element: Xml.Element, suite: Suite, result: Result) -> None:
    attributes = {
        "classname": f"{suite.definition.namespace}.{suite.definition.name}",
        "name": result.case.name,
        "file": str(suite.path),
        "time": f"{result.observed.seconds or 0:.3f}",
    }
    case = Xml.SubElement(element, "testcase", attributes)
    if not result.passed:
        failure = Xml.SubElement(case, "failure", {"message": _legal(result.differences[0])})
        failure.text = _legal("\n".join([*result.differences, "", result.observed.described()]))


def _legal(text: str) -> str:
    """The text without characters that XML 1.0 cannot say."""
    return "".join(
        each if each in "\t\n" or " " <= each <= "\ud7ff" or each >= "\ue000" else "\ufffd"
        for each in text
    )
