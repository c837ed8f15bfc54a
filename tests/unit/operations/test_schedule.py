"""Schedules: even intervals, names that survive cron, sh and systemd, and a run that the real cron
starts.
"""

import datetime as dt
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import UsageError
from pipeline.operations import schedule
from pipeline.operations.schedule import INTERVALS, ScheduledRun, parse_every, schedule_text
from tests.support.world import World, article

RUN = ["/srv/app/bin/pipeline", "run", "--quiet", "news=/srv/site", "-w", "/srv/warehouse"]
SITE = Path("/srv/site")
HOUR = dt.timedelta(hours=1)
ODD = "odd 100% \\% \\\\ 'one' \"two\" $HOME ${HOME} $$ %h é ☃ *;&|<>#!~`date` tail\\"
ECHO = [
    sys.executable,
    "-ISc",
    "import json, os, sys; print(json.dumps([os.getcwd(), *sys.argv[1:]]))",
]


def crontab(*run: Any, **recipients: Any) -> str:
    return schedule.crontab(ScheduledRun(*run, **recipients))


def systemd_units(*run: Any, **recipients: Any) -> dict[str, str]:
    return schedule.systemd_units(ScheduledRun(*run, **recipients))


def needs(*programs: str) -> None:
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")


def needs_namespaces() -> None:
    needs("unshare", "mount")
    if (
        os.geteuid() != 0
        or subprocess.run(["unshare", "--mount", "--pid", "--fork", "true"], check=False).returncode
    ):
        pytest.skip(
            "only root with namespaces of its own can start a daemon that leaves the machine alone"
        )


def cron_times(text: str) -> list[int]:
    """The minutes of a day at which the crontab's line starts."""
    minutes, hours = text.splitlines()[-1].split()[:2]

    def values(field: str, size: int) -> list[int]:
        span, _, step = field.partition("/")
        first, _, last = span.replace("*", f"0-{size - 1}").partition("-")
        return list(range(int(first), int(last or first) + 1, int(step or 1)))

    return [hour * 60 + minute for hour in values(hours, 24) for minute in values(minutes, 60)]


def calendar(units: dict[str, str]) -> str:
    return re.findall(r"^OnCalendar=(.*)$", units["pipeline.timer"], re.MULTILINE)[0]


@pytest.mark.parametrize(
    ("text", "fields", "event"),
    [
        ("1m", "* *", "*-*-* *:*:00"),
        ("5m", "{m}-59/5 *", "*-*-* *:{m:02}/5:00"),
        ("30m", "{m}-59/30 *", "*-*-* *:{m:02}/30:00"),
        ("1h", "{m} *", "*-*-* *:{m:02}:00"),
        ("60m", "{m} *", "*-*-* *:{m:02}:00"),
        ("2h", "{m} 0-23/2", "*-*-* 00/2:{m:02}:00"),
        ("6h", "{m} 4-23/6", "*-*-* 04/6:{m:02}:00"),
        ("12h", "{m} 4-23/12", "*-*-* 04/12:{m:02}:00"),
        ("1d", "{m} 4", "*-*-* 04:{m:02}:00"),
        ("24h", "{m} 4", "*-*-* 04:{m:02}:00"),
    ],
)
def test_an_interval_has_its_fields(text: str, fields: str, event: str) -> None:
    lines = crontab(RUN, SITE, parse_every(text))
    minute = cron_times(lines)[0] % 60
    assert lines.splitlines()[-1].startswith(
        f"{fields.format(m=minute)} * * * cd /srv/site && /srv/app/bin/pipeline run "
    )
    assert calendar(systemd_units(RUN, SITE, parse_every(text))) == event.format(m=minute)


@pytest.mark.parametrize("text", INTERVALS)
def test_starts_are_evenly_apart(text: str) -> None:
    every = parse_every(text) // dt.timedelta(minutes=1)
    for number in range(20):
        times = cron_times(crontab(RUN, Path(f"/srv/{number}"), INTERVALS[text]))
        assert {
            later - earlier
            for earlier, later in zip(times, [*times[1:], times[0] + 1440], strict=True)
        } == {every}


@pytest.mark.parametrize("text", INTERVALS)
def test_systemd_starts_when_cron_does(text: str) -> None:
    needs("systemd-analyze")
    times = cron_times(crontab(RUN, SITE, INTERVALS[text]))[:50]
    event = calendar(systemd_units(RUN, SITE, INTERVALS[text]))
    done = subprocess.run(
        [
            "systemd-analyze",
            "calendar",
            f"--iterations={len(times)}",
            "--base-time=2026-01-04 23:59:59 UTC",
            event,
        ],
        capture_output=True,
        text=True,
        env=os.environ | {"TZ": "UTC"},
        check=True,
    )
    found = re.findall(r"2026-01-05 (\d\d):(\d\d):00 UTC", done.stdout)
    assert [int(hour) * 60 + int(minute) for hour, minute in found] == times


@pytest.mark.parametrize(
    "text",
    [
        "",
        "h",
        "1",
        "0m",
        "7m",
        "45m",
        "90m",
        "5h",
        "36h",
        "2d",
        "1w",
        "-1h",
        "1.5h",
        "1 h",
        "1H",
        "١h",
    ],
)
def test_other_intervals_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"Choose one of 1m, 2m, .*30m, 1h, .*12h, 1d\.$"):
        parse_every(text)


def test_the_minute_depends_on_what_is_run() -> None:
    minutes = [cron_times(crontab(RUN, Path(f"/srv/{number}"), HOUR))[0] for number in range(300)]
    assert set(minutes) == set(range(60))
    assert crontab(RUN, SITE, HOUR) == crontab(list(RUN), Path("/srv/site"), HOUR)


def test_what_cannot_be_written_is_refused() -> None:
    for word in ("a\nb", "a\0b", "a\rb", "a\x1b[2J", "a\udcff"):
        with pytest.raises(UsageError, match="Rename it"):
            crontab([*RUN, word], SITE, HOUR)
        with pytest.raises(UsageError, match="Rename it"):
            systemd_units(RUN, Path(f"/srv/{word}"), HOUR)
    with pytest.raises(UsageError, match="is not an absolute path"):
        crontab(["pipeline", "run"], SITE, HOUR)
    with pytest.raises(UsageError, match="is not an absolute path"):
        systemd_units(RUN, Path("site"), HOUR)
    with pytest.raises(UsageError, match=r"got \d+ bytes, expected at most 998"):
        crontab([*RUN, "x" * 1000], SITE, HOUR)
    for mail in ("", "-oQ/x", "a b@example.org", "a@example.org\nSHELL=/bin/x", "a%b@example.org"):
        with pytest.raises(UsageError, match="--mail"):
            crontab(RUN, SITE, HOUR, mail)
    with pytest.raises(UsageError, match="--user"):
        systemd_units(RUN, SITE, HOUR, user="a\nb")


def test_the_text_holds_what_the_object_holds() -> None:
    run = ScheduledRun(RUN, SITE, HOUR, mail="news@example.org", user="news")
    found = schedule.schedule_object(run)
    text = schedule_text(found)
    assert found["crontab"] in text
    for name, content in found["units"].items():
        assert f"\n# /etc/systemd/system/{name}\n\n{content}" in text
    assert "systemctl enable --now pipeline.timer" in text and "crontab -e" in text
    assert "User=news\n" in found["units"]["pipeline.service"]
    assert "User=" not in systemd_units(RUN, SITE, HOUR)["pipeline.service"]


def test_a_failing_run_gives_cron_one_line_to_mail(world: World) -> None:
    lines = crontab(RUN, SITE, HOUR, mail="news@example.org").splitlines()
    assert lines[1] == "MAILTO=news@example.org"
    assert not any(line.startswith("MAILTO") for line in crontab(RUN, SITE, HOUR).splitlines())
    command = [
        sys.executable,
        "-m",
        "pipeline",
        "run",
        "--quiet",
        str(world.site / "none"),
        "-w",
        str(world.warehouse),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)


def undo_cron(text: str, *, both: bool) -> str:
    r"""What do_command.c hands to sh: up to a bare `%`, with `\%` as `%`; some crons undo `\\`,
    too.
    """
    found = re.match(r"(?:\\.|[^%\\])*\\?", text)
    assert found
    return re.sub(r"\\([%\\])" if both else r"\\(%)", r"\1", found[0])


def through_cron(words: list[str], folder: Path, *, both: bool) -> list[str]:
    line = crontab([*ECHO, *words], folder, HOUR).splitlines()[-1].split(maxsplit=5)[5]
    done = subprocess.run(
        ["/bin/sh", "-c", undo_cron(line, both=both)], capture_output=True, check=True
    )
    found: list[str] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("both", [False, True])
@settings(max_examples=60, deadline=None)
@given(words=st.lists(st.text("%\\'\"$ `!#;~*a=-é☃", max_size=10), max_size=4))
def test_any_name_survives_cron_and_sh(both: bool, words: list[str]) -> None:
    assert through_cron(words, Path("/"), both=both) == ["/", *words]


@pytest.mark.parametrize("both", [False, True])
def test_an_odd_folder_survives_cron_and_sh(tmp_path: Path, both: bool) -> None:
    (tmp_path / ODD).mkdir()
    assert through_cron([ODD], tmp_path / ODD, both=both) == [str(tmp_path / ODD), ODD]


def test_crontab_accepts_the_lines(tmp_path: Path) -> None:
    needs("crontab")
    usage = subprocess.run(["crontab", "-h"], capture_output=True, text=True, check=False).stderr
    if "dry run" not in usage:
        pytest.skip("this crontab has no dry run")
    for every in INTERVALS.values():
        lines = crontab([*RUN, ODD], SITE, every, mail="news@example.org")
        subprocess.run(
            ["crontab", "-n", "-"], input=lines, capture_output=True, text=True, check=True
        )


def write_units(folder: Path, units: dict[str, str]) -> None:
    folder.mkdir(exist_ok=True)
    for name, content in units.items():
        (folder / name).write_text(content)


@pytest.mark.parametrize("mail", [None, "news@example.org"])
def test_systemd_accepts_the_units(tmp_path: Path, mail: str | None) -> None:
    needs("systemd-analyze")
    program = tmp_path / "it's $5 \\ 100%" / "pipeline"
    program.parent.mkdir()
    program.symlink_to(sys.executable)
    for command in ([str(program), "run", ODD], [sys.executable, "-m", "pipeline", "run"]):
        write_units(
            tmp_path / "units", units := systemd_units(command, tmp_path / ODD, HOUR, mail, "root")
        )
        paths = [str(tmp_path / "units" / name) for name in units]
        done = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", *paths],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (
            done.returncode,
            [line for line in done.stderr.splitlines() if "pipeline" in line],
        ) == (0, [])


def parsed(folder: Path, units: dict[str, str], name: str) -> tuple[list[str], str]:
    """The words and the working directory of a unit, as systemd's own parser sees them."""
    needs("systemd-analyze")
    write_units(folder, units)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(folder / name)],
        capture_output=True,
        text=True,
        env=os.environ | {"SYSTEMD_LOG_LEVEL": "debug", "LANG": "C.UTF-8"},
        check=True,
    )
    shown = re.search(
        rf"-> Unit {re.escape(name)}:\n.*?^\s+WorkingDirectory: (.*?)$.*?^\s+Command Line: (.*?)$",
        done.stdout,
        re.M | re.S,
    )
    if not shown:
        pytest.skip("this systemd-analyze does not show what it parsed")
    # Words are shown as a shell would take them, and variables before they are replaced: `$$` is a
    # `$` then.
    printed = subprocess.run(
        ["/bin/sh", "-c", f"printf '%s\\0' {shown[2]}"], capture_output=True, text=True, check=True
    )
    return printed.stdout.replace("$$", "$").split("\0")[:-1], shown[1]


def test_any_name_survives_systemd(tmp_path: Path) -> None:
    words = [*ECHO, ODD, "", ";", "%%", "${PATH}", "$PATH", "a\\"]
    assert parsed(tmp_path, systemd_units(words, tmp_path / ODD, HOUR), "pipeline.service") == (
        words,
        str(tmp_path / ODD),
    )


def test_a_program_with_an_odd_name_is_started(tmp_path: Path) -> None:
    program = tmp_path / "it's $5 \\ 100%"
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    program.chmod(0o755)
    words, _ = parsed(
        tmp_path / "units",
        systemd_units([str(program), ODD, ""], tmp_path, HOUR),
        "pipeline.service",
    )
    assert words[0] == "/bin/sh"
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout == f"{ODD}\n\n"


# Receivers that keep what they are given: a mailer, and a journal reader that shows what it is
# asked for.
SENDMAIL = '#!/bin/sh\n{ printf "%s\\n" "$@"; cat; } >"${0%/*}/letter"\n'
JOURNALCTL = '#!/bin/sh\n[ "$1" = --sync ] || printf "%s\\n" "$@"\n'


def test_a_failure_is_mailed(tmp_path: Path) -> None:
    units = systemd_units(RUN, SITE / ODD, HOUR, mail="news@example.org")
    assert "OnFailure=pipeline-failed.service\n" in units["pipeline.service"]
    words, _ = parsed(tmp_path / "units", units, "pipeline-failed.service")
    for name, text in (("sendmail", SENDMAIL), ("journalctl", JOURNALCTL)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "MONITOR_INVOCATION_ID": "0a1b"}
    done = subprocess.run(words, capture_output=True, text=True, env=environment, check=True)
    assert (done.stdout, done.stderr) == ("", "")
    assert (tmp_path / "letter").read_text().splitlines() == [
        "-i",
        "news@example.org",
        "To: news@example.org",
        f"Subject: pipeline failed on {os.uname().nodename}",
        "Content-Type: text/plain; charset=utf-8",
        "",
        f"In {SITE / ODD}:",
        "",
        "-q",
        "--no-pager",
        "_SYSTEMD_INVOCATION_ID=0a1b",
        "+",
        "INVOCATION_ID=0a1b",
    ]


def test_a_failure_without_an_address_is_logged_as_an_error(tmp_path: Path) -> None:
    units = systemd_units(RUN, SITE / ODD, HOUR)
    assert "SyslogLevel=err\n" in units["pipeline-failed.service"]
    words, _ = parsed(tmp_path, units, "pipeline-failed.service")
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert (
        done.stdout == f"The run in {SITE / ODD} failed. Read: journalctl --unit pipeline.service\n"
    )


@contextmanager
def daemon(script: str, *arguments: str | Path) -> Iterator[subprocess.Popen[bytes]]:
    """A script as init of mount and process namespaces of its own: nothing that it mounts or starts
    outlives it.
    """
    command = [
        "unshare",
        "--mount",
        "--pid",
        "--fork",
        "--kill-child",
        "--mount-proc",
        "/bin/sh",
        "-euc",
        script,
        "sh",
    ]
    process = subprocess.Popen(
        [*command, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=30)


def odd_world(folder: Path) -> tuple[World, list[str]]:
    """A site with an odd name, and the run that reads it; a warehouse may hold no `*`, `?` or
    backslash.
    """
    world = World(folder / ODD)
    world.write({"a.md": article()})
    world.warehouse = folder / "it's $HOME 100% é"
    run = [
        sys.executable,
        "-m",
        "pipeline",
        "run",
        "--quiet",
        f"news={world.site}",
        "-w",
        str(world.warehouse),
        "--wait",
        "60",
    ]
    return world, run


def wait_for(found: Callable[[], bool], process: subprocess.Popen[bytes], seconds: float) -> None:
    """Wait until it is found; fail with the daemon's output if it is not, or the daemon ends."""
    end = time.monotonic() + seconds
    while not found():
        if process.poll() is not None or time.monotonic() > end:
            process.kill()
            pytest.fail(
                f"not seen within {seconds} s; printed:"
                f" {process.communicate(timeout=30)[0].decode()}"
            )
        time.sleep(0.1)


CRON = """
    mount -t tmpfs tmpfs /run
    mount -t tmpfs -o mode=1730 tmpfs /var/spool/cron/crontabs
    mount -t tmpfs tmpfs /etc/cron.d
    touch /run/empty; mount --bind /run/empty /etc/crontab
    crontab "$1"
    exec cron -f
"""


def test_cron_publishes(tmp_path: Path) -> None:
    needs("cron", "crontab")
    needs_namespaces()
    if not Path("/var/spool/cron/crontabs").is_dir() or not Path("/etc/crontab").is_file():
        pytest.skip("this cron is not laid out as Debian's")
    world, command = odd_world(tmp_path)
    lines = crontab(command, tmp_path / ODD, parse_every("1m"), mail="root")
    (tmp_path / "crontab").write_text(lines)
    with daemon(CRON, tmp_path / "crontab") as cron:
        wait_for((world.warehouse / "CURRENT").exists, cron, 100)
    assert world.rows("select source, path from documents") == [("news", "a.md")]
