"""A schedule as text, for cron and for systemd: the run itself locks and logs, what fails is mailed.

Nothing here reads a clock or touches a file: the same arguments give the same text.
"""

import datetime as dt
import re
import shlex
import unicodedata
from hashlib import blake2b
from pathlib import Path
from typing import Any

from pipeline.errors import UsageError

# What cron and systemd can express evenly: steps that divide the hour or the day.
ALLOWED = {
    **{
        f"{minutes}m": dt.timedelta(minutes=minutes)
        for minutes in range(1, 60)
        if 60 % minutes == 0
    },
    **{f"{hours}h": dt.timedelta(hours=hours) for hours in range(1, 24) if 24 % hours == 0},
    "1d": dt.timedelta(days=1),
}

_DAILY_HOUR = 4  # clocks change before it, so no daily run is skipped or doubled
_LONGEST_COMMAND = 998  # bytes; Debian's crontab refuses a longer one

_SERVICE = """\
[Unit]
Description=Run the news pipeline
OnFailure=pipeline-failed.service

[Service]
Type=oneshot
{user}WorkingDirectory={folder}
ExecStart={command}
Nice=10
# A run that hangs is stopped and reported. Being asked to stop, as at shutdown, is no failure: the run ends with 143.
TimeoutStartSec={timeout}min
SuccessExitStatus=143
# A warehouse below /usr or /etc needs a line ReadWritePaths=.
ProtectSystem=full
NoNewPrivileges=yes
RestrictSUIDSGID=yes
ProtectControlGroups=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
"""

_TIMER = """\
[Unit]
Description=Run the news pipeline every {every}

[Timer]
OnCalendar={calendar}
# What was missed while the machine was off is made up for by one run.
Persistent=true

[Install]
WantedBy=timers.target
"""

_FAILED = """\
[Unit]
Description=Report that the news pipeline failed

[Service]
Type=oneshot
SyslogIdentifier=pipeline
SyslogLevel=err
ExecStart={command}
"""

# Before systemd 251 the id of the failed run is not handed over. journald may lag behind the run, hence the sync.
_MAIL = """\
run=${MONITOR_INVOCATION_ID:-$(systemctl show --property=InvocationID --value pipeline.service)};
subject="pipeline failed on $(uname -n)";
journalctl --sync;
report() { printf "In %s:\\n\\n" "$2"; journalctl -q --no-pager _SYSTEMD_INVOCATION_ID="$run" + INVOCATION_ID="$run"; };
letter() { printf "To: %s\\nSubject: %s\\nContent-Type: text/plain; charset=utf-8\\n\\n" "$1" "$subject"; report "$@"; };
if command -v sendmail >/dev/null; then letter "$@" | sendmail -i "$1"; else report "$@" | mail -s "$subject" "$1"; fi"""

_TEXT = """\
# Use cron or systemd, not both.

# cron: `crontab -e` as the user who shall run it, and add at its end

{crontab}
# systemd: write these files, then
#   sudo systemctl daemon-reload && sudo systemctl enable --now pipeline.timer
# Try it with `sudo systemctl start pipeline.service`, read it with `journalctl --unit pipeline.service`.
{units}"""


def parse_every(text: str) -> dt.timedelta:
    """The interval that `15m`, `2h` or `1d` stands for; UsageError unless it divides the hour or the day."""
    number, unit = text[:-1], {"m": "minutes", "h": "hours", "d": "days"}.get(text[-1:])
    if (
        unit
        and re.fullmatch("[0-9]{1,4}", number)
        and (every := dt.timedelta(**{unit: int(number)})) in ALLOWED.values()
    ):
        return every
    raise UsageError(
        f"--every {text}: is no even part of an hour or a day. Choose one of {', '.join(ALLOWED)}."
    )


def crontab(command: list[str], folder: Path, every: dt.timedelta, mail: str | None = None) -> str:
    """The lines for a crontab, with MAILTO first if there is an address; otherwise cron mails the crontab's owner.

    Raises UsageError for what a crontab cannot hold.
    """
    _check(command, folder, mail)
    minutes, hours = _starts(command, folder, every)
    line = f"cd {_cron_word(str(folder))} && {' '.join(map(_cron_word, command))}"
    if len(line.encode()) > _LONGEST_COMMAND:
        raise UsageError(
            f"crontab: the command is too long for cron (got {len(line.encode())} bytes, expected {_LONGEST_COMMAND} at most). "
            "Name the sources in pipeline.toml instead."
        )
    return (
        f"# The news pipeline, every {_label(every)}. The run locks and logs by itself; cron mails what it prints: errors.\n"
        f"{f'MAILTO={mail}' + chr(10) if mail else ''}"
        f"{_cron_field(minutes, 60)} {_cron_field(hours, 24)} * * * {line}\n"
    )


def systemd_units(
    command: list[str],
    folder: Path,
    every: dt.timedelta,
    mail: str | None = None,
    user: str | None = None,
) -> dict[str, str]:
    """File name to content of a service, its timer, and the service that reports a failure: by mail, or else to the log.

    The run is root's unless a user is named. Raises UsageError for what a unit cannot hold.
    """
    _check(command, folder, mail, user)
    minutes, hours = _starts(command, folder, every)
    place = str(folder)
    if set(command[0]) & set(
        "\"'\\$"
    ):  # systemd refuses these in the path of a program, however quoted
        command = ["/bin/sh", "-c", 'exec "$@"', "sh", *command]
    notice = f"The run in {place} failed. Read: journalctl --unit pipeline.service"
    tell = ["/bin/sh", "-c", _MAIL, "sh", mail, place] if mail else ["/bin/echo", notice]
    return {
        "pipeline.service": _SERVICE.format(
            user=f"User={user}\n" if user else "",
            # This is the one value that takes no quotes; the slash keeps a blank or a backslash from ending the line.
            folder=place.replace("%", "%%") + ("/" if place[-1] in " \\" else ""),
            command=" ".join(map(_unit_word, command)),
            timeout=max(60, every // dt.timedelta(minutes=1)),
        ),
        "pipeline.timer": _TIMER.format(
            every=_label(every),
            calendar=f"*-*-* {_calendar_field(hours, 24)}:{_calendar_field(minutes, 60)}:00",
        ),
        "pipeline-failed.service": _FAILED.format(command=" ".join(map(_unit_word, tell))),
    }


def schedule_object(
    command: list[str],
    folder: Path,
    every: dt.timedelta,
    mail: str | None = None,
    user: str | None = None,
) -> dict[str, Any]:
    """Both schedules: `crontab` is a text, `units` maps file names to contents."""
    return {
        "crontab": crontab(command, folder, every, mail),
        "units": systemd_units(command, folder, every, mail, user),
    }


def schedule_text(
    command: list[str],
    folder: Path,
    every: dt.timedelta,
    mail: str | None = None,
    user: str | None = None,
) -> str:
    """Both schedules for a person: where each text goes, and the commands that install it."""
    found = schedule_object(command, folder, every, mail, user)
    units = "".join(
        f"\n# /etc/systemd/system/{name}\n\n{content}" for name, content in found["units"].items()
    )
    return _TEXT.format(crontab=found["crontab"], units=units)


def _check(command: list[str], folder: Path, mail: str | None, user: str | None = None) -> None:
    for word in (*command, str(folder)):
        # A line ends at a newline, and what else moves a cursor or is no text has no place in a file to paste.
        if any(unicodedata.category(character) in {"Cc", "Cs"} for character in word):
            raise UsageError(
                f"schedule: {word!r} holds a control character or bytes that are no UTF-8. Rename it."
            )
    for path in (command[0], str(folder)):
        if not path.startswith("/"):
            raise UsageError(
                f"schedule: {path!r} is no absolute path; a schedule starts elsewhere. Write it from / on."
            )
    if mail is not None and not re.fullmatch(r"\w[\w.+-]*(@\w[\w.-]*)?", mail, re.ASCII):
        raise UsageError(
            f"--mail {mail!r}: is no address that cron takes. Write one such as news@example.org."
        )
    if user is not None and not re.fullmatch(r"[a-z_][a-z0-9_.-]*", user, re.ASCII | re.IGNORECASE):
        raise UsageError(f"--user {user!r}: is no name of a user. Write one such as news.")


def _starts(command: list[str], folder: Path, every: dt.timedelta) -> tuple[range, range]:
    """The minutes and the hours at which runs start; the minute comes from what is run, so that not all start at once."""
    digest = blake2b("\0".join([str(folder), *command]).encode()).digest()
    step = every // dt.timedelta(minutes=1)
    first = int.from_bytes(digest) % min(step, 60)
    if step < 60:
        return range(first, 60, step), range(24)
    return range(first, 60, 60), range(_DAILY_HOUR % (step // 60), 24, step // 60)


def _cron_field(values: range, size: int) -> str:
    if len(values) == 1:
        return str(values[0])
    return "*" if values == range(size) else f"{values[0]}-{size - 1}/{values.step}"


def _calendar_field(values: range, size: int) -> str:
    if len(values) == 1:
        return f"{values[0]:02}"
    return "*" if values == range(size) else f"{values[0]:02}/{values.step}"


def _cron_word(text: str) -> str:
    r"""A word that survives cron, then sh.

    Cron turns `\%` into `%`; some crons (FreeBSD's do_command.c) also turn `\\` into `\`, so no backslash may stand before
    either: each one is in single quotes (shlex.quote sees to that), which are closed and opened again behind it.
    """
    return shlex.quote(text).replace("\\", "\\''").replace("%", "\\%")


def _unit_word(text: str) -> str:
    """A word that survives systemd.syntax(7), its specifiers and its variables; a newline becomes a blank, on a line of its own."""
    if re.fullmatch(r"[\w./:,=@+-]+", text, re.ASCII):
        return text
    for character, escaped in (
        ("\\", "\\\\"),
        ('"', '\\"'),
        ("%", "%%"),
        ("$", "$$"),
        ("\n", " \\\n "),
    ):
        text = text.replace(character, escaped)
    return f'"{text}"'


def _label(every: dt.timedelta) -> str:
    return next(label for label, interval in ALLOWED.items() if interval == every)
