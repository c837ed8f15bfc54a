"""Settings: flags over `PIPELINE_*` variables over `pipeline.toml` over defaults; each value knows where it came from."""

import datetime as dt
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypedDict

import msgspec
from msgspec import Meta, Struct

from pipeline.errors import UsageError

Positive = Annotated[int, Meta(ge=1)]


MOST_DAYS = 36_500
"""The longest time in days that a setting may name: what a calendar can be asked to go back."""

_MINUTES = {"m": 1, "h": 60, "d": 1_440}


class Limits(Struct, frozen=True):
    """From which age on a clock warns, and from which on it is an error; None = never."""

    warn: dt.timedelta | None = None
    error: dt.timedelta | None = None


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that can be set."""

    sources: tuple[str, ...] = ("data/raw",)
    """Folders or files with articles, each `[name=]path`, or repositories, `[name=]git+file:///path#ref:folder`."""
    warehouse: str = "data/warehouse"
    """Folder of the warehouse."""
    workers: Annotated[int, Meta(ge=0)] = 0
    """Processes that build parts; 0 = one per processor."""
    part_size: Positive = 5_000
    """Documents in a part."""
    max_file_bytes: Positive = 10_000_000
    """Files larger than this are rejected."""
    max_rejects: str = ""
    """Most rejections a run may have, a number or a percentage of the files (`5%`); empty = any."""
    allow_empty: bool = False
    """Accept that a source has no files."""
    strict: bool = False
    """Repair nothing."""
    history: bool = True
    """Read the history of repositories into `observations`."""
    keep_bodies: bool = True
    """Store the text after the front matter in `bodies`."""
    keep_secured: bool = False
    """Store the ciphertext in `secured`."""
    auto_gc: bool = True
    """After publishing, remove what `pipeline gc` would."""
    keep_snapshots: Annotated[int, Meta(ge=1)] = 20
    """Newest snapshots that stay."""
    keep_days: Annotated[float, Meta(ge=0, le=MOST_DAYS)] = 2
    """Days that a snapshot stays in any case."""
    keep_logs: Positive = 200
    """Newest logs of runs that stay."""
    max_article_age: str = ""
    """Age of a source's newest article from which `status` fails: ERROR or WARN,ERROR, such as `6h,1d`; empty = any."""
    max_file_age: str = ""
    """Likewise for the newest file."""
    max_run_age: str = ""
    """Likewise for the last good run."""
    checks: dict[str, int | float | str] = {}
    """Table of thresholds (a number or `off`) and levels (`error`, `warn` or `off`) of checks, by name; see `pipeline check`."""

    def max_rejected(self, files: int) -> int | None:
        """The most rejections allowed among so many files; None = any."""
        if not self.max_rejects:
            return None
        number = self.max_rejects.removesuffix("%")
        return int(float(number) * files / 100) if self.max_rejects.endswith("%") else int(number)

    def __post_init__(self) -> None:
        pattern = r"[0-9]+(\.[0-9]+)?%|[0-9]+"
        if self.max_rejects and not re.fullmatch(pattern, self.max_rejects):
            raise ValueError(
                f"max_rejects {self.max_rejects!r} is neither a number nor a percentage"
            )
        for limit in (self.max_article_age, self.max_file_age, self.max_run_age):
            try:
                parse_limits(limit)
            except UsageError as error:
                raise ValueError(str(error)) from error


class SettingValues(TypedDict, total=False):
    """Settings as keyword arguments of `run`, all but the sources: see `Settings`."""

    warehouse: str | os.PathLike[str]
    workers: int
    part_size: int
    max_file_bytes: int
    max_rejects: int | str
    allow_empty: bool
    strict: bool
    history: bool
    keep_bodies: bool
    keep_secured: bool
    auto_gc: bool
    keep_snapshots: int
    keep_days: float
    keep_logs: int
    max_article_age: str
    max_file_age: str
    max_run_age: str
    checks: dict[str, int | float | str]


def parse_limits(text: str) -> Limits:
    """`6h` (an error from six hours on) or `2h,6h` (a warning from two on too); units m, h, d; empty = none.

    Raises UsageError.
    """
    if not text:
        return Limits()
    ages = [_age(part) for part in text.split(",")]
    if len(ages) > 2 or None in ages:
        raise UsageError(
            f"{text!r}: is no limit of age. Write ERROR or WARN,ERROR with m, h or d, such as 2h,6h."
        )
    if len(ages) == 2 and ages[0] and ages[1] and ages[0] > ages[1]:
        raise UsageError(f"{text!r}: warns later than it is an error. Write the smaller age first.")
    return Limits(ages[0] if len(ages) == 2 else None, ages[-1])


def _age(text: str) -> dt.timedelta | None:
    found = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)([mhd])\s*", text)
    return (
        dt.timedelta(minutes=min(float(found[1]) * _MINUTES[found[2]], MOST_DAYS * _MINUTES["d"]))
        if found
        else None
    )


class Setting(Struct, frozen=True):
    """A value and its origin: `default`, a file, a variable or a flag."""

    value: Any
    origin: str


def load_settings(
    flags: Mapping[str, Any] | None = None,
    *,
    environment: Mapping[str, str] = os.environ,
    file: Path = Path("pipeline.toml"),
) -> tuple[Settings, dict[str, Setting]]:
    """The settings in force, and where each came from. Flags that are None do not count.

    Raises UsageError for an unknown name or a value of the wrong type, naming its origin.
    """
    found = {
        name: Setting(value, "default")
        for name, value in msgspec.structs.asdict(Settings()).items()
    }
    for origin, values in _layers(flags or {}, environment, file):
        for name, value in values.items():
            if name not in found:
                raise UsageError(
                    f"{origin}: there is no setting {name!r}. Known are {', '.join(found)}."
                )
            if value is None:
                continue
            if name == "sources" and isinstance(value, str):
                value = value.split(
                    "\n" if "git+" in value else os.pathsep
                )  # an address holds colons
            elif name == "max_rejects":
                value = str(value)
            elif isinstance(value, str):
                value = _WORDS.get(value.lower(), value)
            try:
                checked = msgspec.convert({name: value}, Settings, strict=False)
            except (msgspec.ValidationError, ValueError) as error:
                raise UsageError(
                    f"{_label(origin, name)}: {name} = {value!r} does not fit ({error}). Correct it."
                ) from error
            found[name] = Setting(getattr(checked, name), _label(origin, name))
    return Settings(**{name: setting.value for name, setting in found.items()}), found


_WORDS = {"yes": True, "on": True, "no": False, "off": False}


def _label(origin: str, name: str) -> str:
    return {"flags": "flag", "environment": f"PIPELINE_{name.upper()}"}.get(origin, origin)


def _layers(
    flags: Mapping[str, Any], environment: Mapping[str, str], file: Path
) -> list[tuple[str, Mapping[str, Any]]]:
    variables = {
        name.removeprefix("PIPELINE_").lower(): value
        for name, value in environment.items()
        if name.startswith("PIPELINE_") and value
    }
    known = {name: value for name, value in variables.items() if name in Settings.__struct_fields__}
    return [(file.name, _file_values(file)), ("environment", known), ("flags", flags)]


def _file_values(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise UsageError(f"{file}: cannot be read ({error}). Correct the file.") from error


def parse_day(option: str, text: str | None) -> dt.date | None:
    """A day as `2024-01-31`; raises UsageError for anything else."""
    if text is None:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{option} {text}: is no day (expected YYYY-MM-DD, UTC).") from error
