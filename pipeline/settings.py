"""Settings: flags over `PIPELINE_*` variables over `pipeline.toml` over defaults."""

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
    """Folders or files with articles, `[name=]path`, or `[name=]git+file:///path#ref:folder`."""
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
    keep_snapshots: Positive = 20
    """Newest snapshots that stay."""
    keep_days: Annotated[float, Meta(ge=0, le=MOST_DAYS)] = 2
    """Days that a snapshot stays in any case."""
    keep_logs: Positive = 200
    """Newest logs of runs that stay."""
    max_article_age: str = ""
    """Age of the newest article of a source from which `status` fails: ERROR or WARN,ERROR, such as
    `6h,1d`; empty = any."""
    max_file_age: str = ""
    """Likewise for the newest file."""
    max_run_age: str = ""
    """Likewise for the last good run."""
    checks: dict[str, int | float | str] = {}
    """Thresholds (a number or `off`) and levels (`error`, `warn` or `off`) of checks by name; see
    `pipeline check`."""

    def max_rejected(self, files: int) -> int | None:
        """Return the most rejections allowed among so many files; None = any."""
        if not self.max_rejects:
            return None
        number, percent, _ = self.max_rejects.partition("%")
        return int(float(number) * files / 100) if percent else int(number)

    def __post_init__(self) -> None:
        rejects = self.max_rejects
        if not re.fullmatch(r"[0-9]+(\.[0-9]+)?%|[0-9]*", rejects):
            raise ValueError(f"max_rejects {rejects!r} is neither a number nor a percentage")
        for limit in (self.max_article_age, self.max_file_age, self.max_run_age):
            try:
                parse_limits(limit)
            except UsageError as error:
                raise ValueError(str(error)) from error


class LoadValues(TypedDict, total=False):
    """Settings as keyword arguments of `load`: see `Settings`."""

    max_rejects: int | str
    auto_gc: bool
    keep_snapshots: int
    keep_days: float
    keep_logs: int
    checks: dict[str, int | float | str]


class SettingValues(LoadValues, total=False):
    """Settings as keyword arguments of `run`, all but the sources: see `Settings`."""

    warehouse: str | os.PathLike[str]
    workers: int
    part_size: int
    max_file_bytes: int
    allow_empty: bool
    strict: bool
    history: bool
    keep_bodies: bool
    keep_secured: bool
    max_article_age: str
    max_file_age: str
    max_run_age: str


def parse_limits(text: str) -> Limits:
    """Parse `6h` (an error from six hours on) or `2h,6h` (a warning from two on too).

    Units are m, h and d; empty text sets no limit. Raises UsageError.
    """
    if not text:
        return Limits()
    words = [re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)([mhd])\s*", part) for part in text.split(",")]
    minutes = [float(word[1]) * _MINUTES[word[2]] for word in words if word]
    if len(words) > 2 or len(minutes) < len(words):
        raise UsageError(
            f"{text!r}: not a limit of age (expected ERROR or WARN,ERROR, such as 6h or 2h,6h)."
            " Units are m, h and d."
        )
    *warn, error = (dt.timedelta(minutes=min(age, MOST_DAYS * 1_440)) for age in minutes)
    if warn and warn[0] > error:
        raise UsageError(f"{text!r}: warns later than it is an error. Write the smaller age first.")
    return Limits(warn[0] if warn else None, error)


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
    """Return the settings in force, and each with its origin. Flags that are None do not count.

    Raises UsageError for an unknown name or a value of the wrong type, naming its origin.
    """
    defaults = msgspec.structs.asdict(Settings())
    settings = {name: Setting(value, "default") for name, value in defaults.items()}
    variables = {name: f"PIPELINE_{name.upper()}" for name in settings}
    layers = [
        *((name, value, file.name) for name, value in _file_values(file).items()),
        *((name, environment.get(key) or None, key) for name, key in variables.items()),
        *((name, value, "flag") for name, value in (flags or {}).items()),
    ]
    for name, value, origin in layers:
        if name not in settings:
            known = ", ".join(settings)
            raise UsageError(f"{origin}: there is no setting {name!r}. Known are {known}.")
        if value is not None:
            settings[name] = Setting(_checked(name, value, origin), origin)
    return Settings(**{name: setting.value for name, setting in settings.items()}), settings


_WORDS = {"yes": True, "on": True, "no": False, "off": False}


def _checked(name: str, value: Any, origin: str) -> Any:
    if name == "sources" and isinstance(value, str):
        value = value.split("\n" if "git+" in value else os.pathsep)  # an address holds colons
    elif name == "max_rejects":
        value = str(value)
    elif isinstance(value, str):
        value = _WORDS.get(value.lower(), value)
    elif isinstance(value, os.PathLike):
        value = os.fspath(value)
    try:
        return getattr(msgspec.convert({name: value}, Settings, strict=False), name)
    except (msgspec.ValidationError, ValueError) as error:
        message = f"{origin}: {name} = {value!r} does not fit ({error}). Correct it."
        raise UsageError(message) from error


def _file_values(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise UsageError(f"{file}: cannot be read ({error}). Correct the file.") from error


def parse_day(option: str, text: str | None) -> dt.date | None:
    """Parse a day such as `2024-01-31`; raise UsageError for anything else."""
    if text is None:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{option} {text}: not a day (expected YYYY-MM-DD, UTC).") from error
