"""Write the results of checks as text, as JSON, and as JUnit XML for CI servers."""

import json
import re
from itertools import starmap
from xml.etree.ElementTree import Element, SubElement, indent, tostring

import msgspec

from pipeline.text import counted, printable
from pipeline.views.checks import CheckResult

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def checks_text(results: list[CheckResult]) -> str:
    """Return one line per check, followed by its offending rows."""
    lines = []
    for result in results:
        outcome = _outcome(result)
        count = "not run" if outcome == "off" else counted(result.count, "row")
        lines.append(f"{outcome:<6}  {result.name}: {count}. {result.about}{_thresholds(result)}")
        lines += [f"          {line}" for line in _row_lines(result)]
    return "\n".join(lines) + "\n"


def checks_json(results: list[CheckResult]) -> str:
    """Return a list with one object per check."""
    objects = [msgspec.to_builtins(result) | {"failed": result.failed} for result in results]
    return json.dumps(objects, indent=2, default=str) + "\n"


def checks_junit(results: list[CheckResult]) -> str:
    """Return JUnit XML in ASCII (https://github.com/testmoapp/junitxml), a test case per check.

    A check of level error that found rows is a failure. A warning is a skipped test: CI servers
    list those with their message without failing, but show a passed test without a word. A check
    that is off is skipped too.
    """
    outcomes = [_outcome(result) for result in results]
    counts = {
        "tests": str(len(results)),
        "failures": str(outcomes.count("FAILED")),
        "errors": "0",
        "skipped": str(outcomes.count("warned") + outcomes.count("off")),
    }
    root = Element("testsuites", {"name": "pipeline check", **counts})
    suite = SubElement(root, "testsuite", {"name": "checks", **counts})
    properties = SubElement(suite, "properties")
    for result, outcome in zip(results, outcomes, strict=True):
        for name, value in result.thresholds.items():
            SubElement(properties, "property", name=name, value=_threshold(value))
        case = SubElement(suite, "testcase", classname="pipeline.checks", name=result.name)
        message = _xml_text(f"{counted(result.count, 'row')}. {result.about}{_thresholds(result)}")
        rows = _xml_text("\n".join(_row_lines(result)))
        if outcome == "FAILED":
            SubElement(case, "failure", message=message, type="rows").text = rows
        elif outcome == "warned":
            SubElement(case, "skipped", message=f"warned: {message}")
            SubElement(case, "system-out").text = rows
        elif outcome == "off":
            SubElement(case, "skipped", message="off by setting")
    indent(root)
    text: bytes = tostring(root, encoding="us-ascii", xml_declaration=True)
    return text.decode("ascii") + "\n"


def _outcome(result: CheckResult) -> str:
    if result.failed:
        return "FAILED"
    if result.level == "off":
        return "off"
    return "warned" if result.count else "passed"


def _row_lines(result: CheckResult) -> list[str]:
    """Return the offending rows, a line each; values are cut, except paths."""

    def cell(name: str, value: object) -> str:
        return f"{name}={printable(str(value))[: None if name == 'path' else 80]}"

    lines = [", ".join(starmap(cell, row.items())) for row in result.rows]
    more = result.count - len(result.rows)
    return [*lines, f"... and {more:,} more"] if more else lines


def _thresholds(result: CheckResult) -> str:
    values = ", ".join(f"{name} = {_threshold(value)}" for name, value in result.thresholds.items())
    return f" [{values}]" if values else ""


def _threshold(value: float | None) -> str:
    return "off" if value is None else f"{value:g}"


def _xml_text(text: str) -> str:
    """Return the text with characters escaped that XML 1.0 forbids, such as lone surrogates."""
    return _NOT_IN_XML.sub(lambda match: ascii(match[0])[1:-1], text)


FORMATS = {"text": checks_text, "json": checks_json, "junit": checks_junit}
"""The function that writes the results in each format."""
