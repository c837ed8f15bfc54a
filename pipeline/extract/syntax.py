"""The outer form of a file: characters, fences, and YAML that can be repaired safely."""

import codecs
import re
from typing import Any

import yaml_rs

from pipeline.schema.documents import Finding, Format, Rejection
from pipeline.schema.positions import duplicate_key

Parsed = tuple[Any, str, list[Finding]]
"""Front matter as parsed, the text that gave it, and the repairs that were needed."""

FrontMatter = tuple[Format, str, str]
"""Syntax, front matter and body of a text."""
LINE_LIMIT = 200
MAX_REPAIRS = 100
_loads = yaml_rs.loads
_ALIASES = yaml_rs.AliasLimits(max_total_replayed_events=10_000)
_POSITION = re.compile(r"YAML parse error at line (\d+), column (\d+)")
_PLAIN_SCALAR = re.compile(
    r"(\s*(?:- +)*(?:[^\s#'\"\[{&*!|>%@`:][^:#]*?): +)([^\s'\"\[{&*!|>%@`#].*?)\s*"
)


def decode(raw: bytes, *, strict: bool) -> tuple[str, list[Finding]] | Rejection:
    """Return the text with LF line ends, and what had to be repaired."""
    findings = []
    if b"\0" in raw:
        return _nul_rejection(raw)
    if raw.startswith(codecs.BOM_UTF8):
        raw = raw[len(codecs.BOM_UTF8) :]
        findings.append(Finding("byte_order_mark", "", "U+FEFF", "left out", 1, 1))
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        line, column = _position(raw.decode("latin-1"), error.start)
        line_text = raw.split(b"\n")[line - 1].rstrip(b"\r").decode("latin-1")
        try:
            text = raw.decode("cp1252")
        except UnicodeDecodeError:
            text = ""
        if strict or not text:
            message = f"byte 0x{raw[error.start]:02X} is not UTF-8. Save the file as UTF-8."
            return Rejection("decode", "not_utf8", message, line, column, visible(line_text))
        action = "read as Windows-1252"
        findings.append(Finding("not_utf8", "", visible(line_text), action, line, column))
    if "\r" in text:
        line = text.count("\n", 0, text.index("\r")) + 1
        count = f"{text.count(chr(13))} CR"
        findings.append(Finding("carriage_return", "", count, "read as line ends", line))
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text, findings


def _nul_rejection(raw: bytes) -> Rejection:
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return Rejection("decode", "nul_bytes", "the file is UTF-16. Save it as UTF-8.", 1, 1, None)
    at = raw.index(b"\0")
    line, column = _position(raw.decode("latin-1"), at)
    line_bytes = raw[at - column + 1 :][:LINE_LIMIT].split(b"\n")[0]
    line_text = line_bytes.decode("utf-8", "replace").replace("\0", "\\0")
    message = "the file holds NUL bytes, so it is no text. Restore it from a copy."
    return Rejection("decode", "nul_bytes", message, line, column, visible(line_text))


def split(text: str) -> FrontMatter | Rejection | None:
    """Return syntax, front matter and body; None if the first line is not a fence."""
    if text.startswith("---\n"):  # as nearly all files do
        at = text.find("\n---", 3)
        if at >= 0 and text.startswith("\n", at + 4):
            return "yaml", text[4 : at + 1], text[at + 5 :]
    end = text.find("\n")
    first = text[: end if end >= 0 else None].rstrip(" \t")
    if first == "---":
        return _between(text, end, "---", "yaml")
    if first == "+++":
        return _between(text, end, "+++", "toml")
    if first == "{":
        parted = _between(text, end, "}", "json")
        if isinstance(parted, Rejection):
            return parted
        return "json", "{\n" + parted[1] + "}", parted[2]
    return None


def _between(text: str, end: int, fence: str, syntax: Format) -> FrontMatter | Rejection:
    """Split at the next line that is `fence` alone."""
    at = end
    while at >= 0:
        at = text.find("\n" + fence, at)
        if at < 0:
            break
        close = text.find("\n", at + 1)
        if not text[at + 1 + len(fence) : close if close >= 0 else None].strip(" \t"):
            return syntax, text[end + 1 : at + 1], text[close + 1 :] if close >= 0 else ""
        at += 1
    advice = f"Add a line `{fence}` after the last field."
    message = f"the front matter opens on line 1 and never closes. {advice}"
    first = text[: end if end >= 0 else None][:LINE_LIMIT]
    return Rejection("fence", "unclosed_fence", message, 1, 1, first)


def load_yaml(text: str, *, strict: bool) -> Parsed | Rejection:
    """Parse YAML; raise nothing: what cannot be repaired is a rejection."""
    try:
        return _loads(text, parse_datetime=False, alias_limits=_ALIASES), text, []
    except (ValueError, TypeError):
        return _repair_yaml(text, strict=strict)


def _repair_yaml(text: str, *, strict: bool) -> Parsed | Rejection:
    policy, findings = yaml_rs.DuplicateKeyPolicy.Error, []
    for _ in range(MAX_REPAIRS):
        try:
            data = _loads(
                text, parse_datetime=False, alias_limits=_ALIASES, duplicate_key_policy=policy
            )
        except (ValueError, TypeError) as error:
            message = str(error)
            is_duplicate = message.startswith("duplicate mapping key")
            if is_duplicate and not strict and policy is yaml_rs.DuplicateKeyPolicy.Error:
                policy = yaml_rs.DuplicateKeyPolicy.LastWins
                name, (line, column) = duplicate_key(text)
                location = line and line + 1, column
                finding = Finding("duplicate_key", name, name, "the last one counts", *location)
                findings.append(finding)
                continue
            repaired = None if strict else _quote_plain_scalar(text, message)
            if repaired is None:
                return _yaml_rejection(text, message)
            text, finding = repaired
            findings.append(finding)
        else:
            return data, text, findings
    return _yaml_rejection(text, message)


def _quote_plain_scalar(text: str, message: str) -> tuple[str, Finding] | None:
    """Quote the value of `name: DM: Diablo Immortal`; None if that is not what is wrong."""
    position = _POSITION.match(message)
    if position is None or not message.endswith("mapping values are not allowed in this context"):
        return None
    number = int(position[1])
    lines = text.split("\n")
    match = _PLAIN_SCALAR.fullmatch(lines[number - 1])
    if match is None or not re.search(r":(\s|$)", match[2]):
        return None
    lines[number - 1] = match[1] + "'" + match[2].replace("'", "''") + "'"
    field = match[1].strip(" -").rstrip(": ")
    value, location = None if field == "secured" else match[2], (number + 1, match.start(2) + 1)
    finding = Finding("unquoted_colon", field, value, "read as if quoted", *location)
    return "\n".join(lines), finding


def _yaml_rejection(text: str, message: str) -> Rejection:
    match = _POSITION.match(message)
    line, column = (int(match[1]), int(match[2])) if match else (None, None)
    reason = message.rsplit("\n", 1)[-1].strip()
    code, advice = "bad_yaml", "Correct the line."
    if "alias" in reason and "limit" in reason:
        code, advice = "alias_bomb", "Write the values out instead of repeating aliases."
        if alias := re.search(r"[\[ ,]\*\w", text):
            line, column = _position(text, alias.start() + 1)
    elif "recursion limit" in reason:
        code, advice = "nesting_bomb", "Flatten the value."
    elif line and reason == "invalid indentation in multiline quoted scalar":
        before = "\n".join(text.split("\n")[: line - 1])
        if quotes := list(re.finditer(r"(?:^|[:-]) +(['\"])", before)):
            line, column = _position(before, quotes[-1].start(1))
            reason = "the quote that opens here is never closed"
            advice = "Close it, or double the quotes inside."
    elif line is None and reason.startswith("duplicate mapping key"):
        _, (line, column) = duplicate_key(text)
    elif line is None:
        line, column = 1, 1
    lines = text.split("\n")
    line_text = visible(lines[line - 1] if line and line <= len(lines) else "")
    return Rejection("parse", code, f"{reason}. {advice}", line and line + 1, column, line_text)


def _position(text: str, at: int) -> tuple[int, int]:
    """Return line and column, from 1, of an index of the text."""
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


def visible(line: str) -> str:
    """Return a line as it may be shown: cut, without `secured` and runs that may belong to it."""
    line = re.sub(r"(?i)(secured['\"]?\s*[:=]).*", r"\1 ...", line)
    return re.sub(r"[A-Za-z0-9+/=]{40,}", "...", line)[:LINE_LIMIT]
