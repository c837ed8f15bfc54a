"""Which modules of the package import which."""

import ast
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "pipeline").rglob("*.py"))


def module_name(path: Path) -> str:
    """Return the dotted name below `pipeline`: a package without `__init__`, the top as such."""
    parts = path.relative_to(ROOT / "pipeline").with_suffix("").parts
    return ".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)


def owner(name: str, names: dict[str, Path]) -> str:
    """The module that an imported name is, or lies in."""
    return name if name in names else name.rpartition(".")[0]


def imports(path: Path) -> set[str]:
    """Dotted names below `pipeline` that a module imports, also within functions and for types
    alone.
    """
    found = set()
    known = {module_name(other) for other in MODULES}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "pipeline":
            below = (node.module or "").split(".")[1:]
            for alias in node.names:
                full = ".".join([*below, alias.name])
                found.add(full if full in known or not below else ".".join(below))
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
            found |= {name.partition(".")[2] for name in names if name.startswith("pipeline.")}
    return found


def imported_modules(names: Iterable[str]) -> set[str]:
    """Some modules and all that they import, near and far."""
    paths = {module_name(path): path for path in MODULES}
    reached: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += {owner(other, paths) for other in imports(paths[name])} & paths.keys()
    return reached
