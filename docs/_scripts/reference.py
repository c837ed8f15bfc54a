"""Print tables of the reference: commands, settings, exit statuses, checks, front matter."""

import ast
import inspect
import re
import types
import typing
from collections.abc import Iterable, Iterator
from typing import Any

from pipeline.text import render


def print_table(names: list[str], rows: Iterable[tuple[str, ...]]) -> None:
    """Print a Markdown table."""
    print(render(names, list(rows), "md"), end="")


def commands() -> None:
    """Print a section for each command: what it does, its usage, its arguments and options."""
    for name, command in _commands():
        usage = " ".join(["pipeline", name, *_usage(command.params)])
        help_text = inspect.cleandoc(command.help or "")
        print(f"\n## pipeline {name}\n\n{_escape(help_text)}\n")
        print(f"```text\n{usage}\n```\n")
        rows = [row for parameter in command.params for row in _parameter(parameter)]
        print_table(["argument or option", "meaning"], rows)


def command_list() -> None:
    """Print a table of the commands with the first sentence of their help."""
    rows = [
        (f"[`pipeline {name}`](#pipeline-{name})", _escape(_first_sentence(command.help or "")))
        for name, command in _commands()
    ]
    print_table(["command", "what it does"], rows)


def _commands() -> Iterator[tuple[str, Any]]:
    import typer

    from pipeline.cli import app

    group: Any = typer.main.get_command(app)
    return iter(group.commands.items())


def _usage(parameters: list[Any]) -> Iterator[str]:
    if any(parameter.param_type_name == "option" for parameter in parameters):
        yield "[OPTIONS]"
    for parameter in parameters:
        if parameter.param_type_name == "argument":
            yield _metavar(parameter)


def _metavar(parameter: Any) -> str:
    import typer

    from pipeline.cli import app

    text: str = parameter.make_metavar(typer.Context(typer.main.get_command(app)))
    return {"<int>": "N", "<int range>": "N", "<path>": "PATH"}.get(text, text)


def _parameter(parameter: Any) -> Iterator[tuple[str, str]]:
    if getattr(parameter, "hidden", False):
        return
    if parameter.param_type_name == "argument":
        name = f"`{_metavar(parameter)}`"
    else:
        flags = [*reversed(parameter.opts), *parameter.secondary_opts]
        if not parameter.is_flag:
            flags[-1] += f" {_metavar(parameter)}"
        name = ", ".join(f"`{flag}`" for flag in flags)
    text = parameter.help or ""
    default = parameter.default
    shows_default = isinstance(default, int | float | str) and not isinstance(default, bool)
    if shows_default and default != "":
        text += f" Default: `{default}`."
    yield name, _escape(text)


def _first_sentence(text: str) -> str:
    return re.split(r"(?<=\.)\s", inspect.cleandoc(text), maxsplit=1)[0].replace("\n", " ")


def _escape(text: str) -> str:
    """Escape what Markdown would read outside of code spans."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(
        part if part.startswith("`") else re.sub(r"([*<\[\]$])", r"\\\1", part) for part in parts
    )


def settings() -> None:
    """Print every setting with its default and meaning."""
    from pipeline.settings import Settings

    defaults = Settings()
    rows = []
    for name, meaning in _documented_fields(Settings):
        default = getattr(defaults, name)
        if isinstance(default, tuple):
            default = " ".join(default)
        elif isinstance(default, bool):
            default = str(default).lower()
        rows.append((f"`{name}`", f"`{default}`" if default != "" else "", meaning))
    print_table(["setting", "default", "meaning"], rows)


def front_matter(record: type) -> None:
    """Print the keys of a record of the front-matter contract with their types and meanings."""
    import msgspec

    keys = {field.name: field.encode_name for field in msgspec.structs.fields(record)}
    names = {field.name: _type_name(field.type) for field in msgspec.structs.fields(record)}
    rows = [(f"`{keys[name]}`", names[name], text) for name, text in _documented_fields(record)]
    print_table(["key", "type", "meaning"], rows)


_TYPE_NAMES = {
    "bool": "boolean",
    "datetime": "time",
    "int": "integer",
    "str": "text",
    "timedelta": "duration",
}


def _type_name(annotation: Any) -> str:
    """Return the words for a field's type: `text`, `list of image`, `text or author`."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (types.UnionType, typing.Union):
        names = [_type_name(one) for one in arguments if one is not type(None)]
        return " or ".join(sorted(names, key=lambda name: name != "text"))
    if origin is list:
        return f"list of {_type_name(arguments[0])}"
    if origin is typing.Annotated:
        return _type_name(arguments[0])
    name: str = annotation.__name__
    return _TYPE_NAMES.get(name, name.lower())


def _documented_fields(record: type) -> Iterator[tuple[str, str]]:
    """Yield each field of a class and the string that follows it in the source."""
    [definition] = ast.parse(inspect.getsource(record)).body
    assert isinstance(definition, ast.ClassDef)
    for field, note in zip(definition.body, definition.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(note, ast.Expr):
            assert isinstance(field.target, ast.Name)
            yield field.target.id, " ".join(str(ast.literal_eval(note.value)).split())


def checks() -> None:
    """Print every check with its level, thresholds and meaning."""
    from pipeline.views.relations import relations

    rows = []
    for check in relations("checks"):
        level = "warn" if check.path.parent.name == "warn" else "error"
        thresholds = "; ".join(
            f"`{name}` = `{'off' if limit is None else f'{limit:g}'}`"
            for name, limit in _thresholds(check)
        )
        rows.append((f"`{check.name}`", level, thresholds, _escape(check.comment)))
    print_table(["check", "level", "thresholds", "offending rows"], rows)


def _thresholds(check: Any) -> Iterator[tuple[str, float | None]]:
    for name, threshold in check.thresholds.items():
        yield name, getattr(threshold, "default", threshold)


def exit_statuses() -> None:
    """Print every exit status and the error class that gives it."""
    from pipeline import errors

    classes: dict[int, list[tuple[str, str]]] = {}
    for name, kind in vars(errors).items():
        if isinstance(kind, type) and issubclass(kind, errors.PipelineError):
            text = inspect.cleandoc(kind.__doc__ or "").replace("\n", " ")
            classes.setdefault(kind.exit_code, []).append((name, text))
    rows = [("0", "Done, also if nothing had changed.", "")]
    for code, kinds in sorted(classes.items()):
        names = ", ".join(f"{{py:exc}}`~pipeline.{name}`" for name, _ in kinds)
        text = "The command failed." if code == 1 else kinds[0][1]
        rows.append((str(code), text, names))
    rows += [
        ("6", "`pipeline status`: something is older than its warning limit.", ""),
        ("7", "`pipeline status`: something is older than its limit.", ""),
        ("129", "Stopped by SIGHUP (a closed terminal).", ""),
        ("130", "Stopped by SIGINT (Ctrl-C).", ""),
        ("143", "Stopped by SIGTERM.", ""),
    ]
    print_table(["status", "meaning", "errors"], rows)
