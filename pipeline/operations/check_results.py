"""What checks found: as text, as JSON, and as JUnit XML for CI servers."""

import json
import re
from xml.etree import ElementTree

import msgspec

from pipeline.text import printable
from pipeline.views.checks import CheckResult

FORMATS = ("text", "json", "junit")
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def checks_in(style: str, results: list[CheckResult]) -> str:
    """The results in one of `FORMATS`; ends with a line end."""
    return {"text": checks_text, "json": checks_json, "junit": checks_junit}[style](results)


def checks_text(results: list[CheckResult]) -> str:
    """One line per check, the offending rows below."""
    lines = []
    for result in results:
        word = (
            "FAILED"
            if result.failed
            else "off"
            if result.level == "off"
            else "warned"
            if result.count
            else "passed"
        )
        count = "not run" if result.level == "off" else f"{result.count:,} rows"
        lines.append(f"{word:<6}  {result.name}: {count}. {result.about}{_limits(result)}")
        lines += [f"          {line}" for line in _row_lines(result)]
    return "\n".join(lines) + "\n"


def checks_json(results: list[CheckResult]) -> str:
    """A list of one object per check."""
    found = [msgspec.to_builtins(result) | {"failed": result.failed} for result in results]
    return json.dumps(found, indent=2, default=str) + "\n"


def checks_junit(results: list[CheckResult]) -> str:
    """JUnit XML (the form that https://github.com/testmoapp/junitxml describes), one test case per check, in ASCII.

    A check of level error that found rows is a failure. A warning is a skipped test: CI servers list those with their
    message and do not fail for them; a passed test they would show without a word. So is a check that is off.
    """
    failures = sum(result.failed for result in results)
    skipped = sum(
        not result.failed and (result.count > 0 or result.level == "off") for result in results
    )
    counts = {
        "tests": str(len(results)),
        "failures": str(failures),
        "errors": "0",
        "skipped": str(skipped),
    }
    root = ElementTree.Element("testsuites", {"name": "pipeline check", **counts})
    suite = ElementTree.SubElement(root, "testsuite", {"name": "checks", **counts})
    properties = ElementTree.SubElement(suite, "properties")
    for result in results:
        for name, value in result.thresholds.items():
            ElementTree.SubElement(properties, "property", {"name": name, "value": _shown(value)})
        case = ElementTree.SubElement(
            suite, "testcase", {"classname": "pipeline.checks", "name": result.name}
        )
        message = _legal(f"{result.count:,} rows. {result.about}{_limits(result)}")
        rows = _legal("\n".join(_row_lines(result)))
        if result.failed:
            ElementTree.SubElement(
                case, "failure", {"message": message, "type": "rows"}
            ).text = rows
        elif result.count:
            ElementTree.SubElement(case, "skipped", {"message": f"warned: {message}"})
            ElementTree.SubElement(case, "system-out").text = rows
        elif result.level == "off":
            ElementTree.SubElement(case, "skipped", {"message": "off by setting"})
    ElementTree.indent(root)
    text: bytes = ElementTree.tostring(root, encoding="us-ascii", xml_declaration=True)
    return text.decode("ascii") + "\n"


def _row_lines(result: CheckResult) -> list[str]:
    """The offending rows, a line each; values are cut, but for paths."""
    lines = [
        ", ".join(
            f"{name}={printable(str(value))[: None if name == 'path' else 80]}"
            for name, value in row.items()
        )
        for row in result.rows
    ]
    more = result.count - len(result.rows)
    return [*lines, f"... and {more:,} more"] if more else lines


def _limits(result: CheckResult) -> str:
    """The thresholds in force, in brackets."""
    shown = ", ".join(f"{name} = {_shown(value)}" for name, value in result.thresholds.items())
    return f" [{shown}]" if shown else ""


def _shown(threshold: float | None) -> str:
    return "off" if threshold is None else f"{threshold:g}"


def _legal(text: str) -> str:
    """The text with characters spelled out that XML 1.0 cannot hold, such as lone surrogates."""
    return _NOT_IN_XML.sub(lambda found: ascii(found[0])[1:-1], text)
