r"""Write a schedule for cron and for systemd.

The run itself locks and logs; what fails is mailed. The same arguments give the same text: no clock
or file of the machine is read. Sources: crontab(5), cron's do_command.c, systemd.syntax(7),
systemd.time(7).
"""

import datetime as dt
import re
import shlex
import unicodedata
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from pipeline.errors import UsageError

MINUTE = dt.timedelta(minutes=1)
INTERVALS = {
    **{f"{number}m": number * MINUTE for number in range(1, 60) if 60 % number == 0},
    **{f"{number}h": number * 60 * MINUTE for number in range(1, 24) if 24 % number == 0},
    "1d": dt.timedelta(days=1),
}
"""What cron and systemd can express evenly: steps that divide the hour or the day."""
_DAILY_HOUR = 4  # clocks change before it, so no daily run is skipped or repeated
_LONGEST_COMMAND = 998  # bytes; Debian's crontab refuses a longer one
_TEMPLATES = Path(__file__).parent / "templates"


def parse_every(text: str) -> dt.timedelta:
    """Return the interval that `15m`, `2h` or `1d` stands for.

    Raises UsageError unless it divides the hour or the day.
    """
    minutes = {"m": 1, "h": 60, "d": 1440}
    if re.fullmatch("[0-9]{1,4}[mhd]", text):
        every = int(text[:-1]) * minutes[text[-1]] * MINUTE
        if every in INTERVALS.values():
            return every
    raise UsageError(
        f"--every {text}: does not divide an hour or a day. Choose one of {', '.join(INTERVALS)}."
    )


@dataclass(frozen=True)
class ScheduledRun:
    """A command to run in a folder, as a user (root without one); who gets mail if it fails.

    Raises UsageError for what cron or systemd cannot hold.
    """

    command: list[str]
    folder: Path
    every: dt.timedelta
    mail: str | None = None
    user: str | None = None

    def __post_init__(self) -> None:
        for word in (*self.command, str(self.folder)):
            # A newline ends a line; what moves a cursor or is not text cannot be pasted safely.
            if any(unicodedata.category(character) in {"Cc", "Cs"} for character in word):
                raise UsageError(
                    f"schedule: {word!r} has a control character or is not UTF-8. Rename it."
                )
        for path in (self.command[0], str(self.folder)):
            if not path.startswith("/"):
                raise UsageError(
                    f"schedule: {path!r} is not an absolute path, but cron and systemd start in"
                    " another folder. Write the path from / on."
                )
        address = r"\w[\w.+-]*(@\w[\w.-]*)?"
        if self.mail is not None and not re.fullmatch(address, self.mail, re.ASCII):
            raise UsageError(
                f"--mail {self.mail!r}: not an address that cron accepts. Write one such as"
                " news@example.org."
            )
        if self.user is not None and not re.fullmatch("(?ia)[a-z_][a-z0-9_.-]*", self.user):
            raise UsageError(f"--user {self.user!r}: not a user name. Write one such as news.")

    def starts(self) -> tuple[range, range]:
        """Return the minutes and hours of the runs; the first minute depends on what is run.

        So different schedules do not all start at once.
        """
        digest = blake2b("\0".join([str(self.folder), *self.command]).encode()).digest()
        step = self.every // MINUTE
        first = int.from_bytes(digest) % min(step, 60)
        if step < 60:
            return range(first, 60, step), range(24)
        return range(first, 60, 60), range(_DAILY_HOUR % (step // 60), 24, step // 60)

    @property
    def label(self) -> str:
        """The interval as the command line has it."""
        return next(label for label, interval in INTERVALS.items() if interval == self.every)


def crontab(run: ScheduledRun) -> str:
    """Return the lines for a crontab, with MAILTO first if there is an address.

    Without one, cron mails the owner of the crontab. Raises UsageError for too long a command.
    """
    minutes, hours = run.starts()
    line = f"cd {_cron_word(str(run.folder))} && {' '.join(map(_cron_word, run.command))}"
    if (size := len(line.encode())) > _LONGEST_COMMAND:
        raise UsageError(
            f"crontab: the command is too long for cron (got {size} bytes, expected at most"
            f" {_LONGEST_COMMAND}). Name the sources in pipeline.toml instead."
        )
    start = f"{_cron_field(minutes, 60)} {_cron_field(hours, 24)}"
    mail = f"MAILTO={run.mail}\n" if run.mail else ""
    template = (_TEMPLATES / "crontab.txt").read_text()
    return template.format(run=run, mail=mail, start=start, line=line)


def systemd_units(run: ScheduledRun) -> dict[str, str]:
    """Return the files of a service, its timer, and the service that reports a failure, by name.

    Failures are reported by mail, or else in the log.
    """
    minutes, hours = run.starts()
    command, path = run.command, str(run.folder)
    if set(command[0]) & set("\"'\\$"):  # systemd refuses these in a program's path, even quoted
        command = ["/bin/sh", "-c", 'exec "$@"', "sh", *command]
    notice = f"The run in {path} failed. Read: journalctl --unit pipeline.service"
    # Before systemd 251 the id of the failed run is not passed on. journald may lag: hence --sync.
    script = (_TEMPLATES / "mail.sh").read_text().strip()
    report = ["/bin/sh", "-c", script, "sh", run.mail, path] if run.mail else ["/bin/echo", notice]
    values = {
        "run": run,
        "user": f"User={run.user}\n" if run.user else "",
        # The only value without quotes; a slash keeps a blank or backslash off the line's end.
        "folder": path.replace("%", "%%") + ("/" if path[-1] in " \\" else ""),
        "command": " ".join(map(_unit_word, command)),
        "report": " ".join(map(_unit_word, report)),
        "timeout": max(60, run.every // MINUTE),
        "calendar": f"*-*-* {_calendar_field(hours, 24)}:{_calendar_field(minutes, 60)}:00",
    }
    names = ("pipeline.service", "pipeline.timer", "pipeline-failed.service")
    return {name: (_TEMPLATES / name).read_text().format(**values) for name in names}


def schedule_object(run: ScheduledRun) -> dict[str, Any]:
    """Return both schedules: `crontab` is a text, `units` has the content of each file."""
    return {"crontab": crontab(run), "units": systemd_units(run)}


def schedule_text(schedule: dict[str, Any]) -> str:
    """Return both schedules for a person: where each text goes, and how to install it."""
    units = "".join(
        f"\n# /etc/systemd/system/{name}\n\n{content}"
        for name, content in schedule["units"].items()
    )
    template = (_TEMPLATES / "schedule.txt").read_text().strip()
    return template.format(crontab=schedule["crontab"], units=units)


def _cron_field(values: range, size: int) -> str:
    if len(values) == 1:
        return str(values[0])
    return "*" if values == range(size) else f"{values[0]}-{size - 1}/{values.step}"


def _calendar_field(values: range, size: int) -> str:
    if len(values) == 1:
        return f"{values[0]:02}"
    return "*" if values == range(size) else f"{values[0]:02}/{values.step}"


def _cron_word(text: str) -> str:
    r"""Return a word as cron hands it to sh unchanged.

    Cron turns `\%` into `%`, and some crons also `\\` into `\`, so no backslash may stand before
    either: each is in single quotes (by shlex.quote), which are closed and opened again after it.
    """
    return shlex.quote(text).replace("\\", "\\''").replace("%", "\\%")


def _unit_word(text: str) -> str:
    """Return a word that systemd reads unchanged; a newline becomes a blank and a new line."""
    if re.fullmatch(r"[\w./:,=@+-]+", text, re.ASCII):
        return text
    escapes = {"\\": "\\\\", '"': '\\"', "%": "%%", "$": "$$", "\n": " \\\n "}
    return '"' + "".join(escapes.get(character, character) for character in text) + '"'
