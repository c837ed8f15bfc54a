"""Files, folders and links that take the place of old ones in one step, or not at all."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from pipeline.errors import UsageError, WarehouseError
from pipeline.load.files import replace_file, replacing, writing_to


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_old_file_is_there_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "x.txt"
    replace_file(path, b"old")
    with replacing(path, flush=True) as aside:
        aside.write_text("half")
        assert path.read_text() == "old" and aside.parent == path.parent
        aside.write_text("new")
    assert path.read_text() == "new" and names(path.parent) == ["x.txt"]


def test_a_folder_replaces_a_folder_and_a_link_a_link(tmp_path: Path) -> None:
    for content in ("old", "new"):
        with replacing(tmp_path / "folder") as aside:
            aside.mkdir()
            (aside / content).touch()
        with replacing(tmp_path / "link") as aside:
            aside.symlink_to(content)
    assert names(tmp_path) == ["folder", "link"] and names(tmp_path / "folder") == ["new"]
    assert os.readlink(tmp_path / "link") == "new"


@pytest.mark.parametrize("is_folder", [False, True])
def test_an_error_leaves_the_old_one_and_nothing_else(tmp_path: Path, is_folder: bool) -> None:
    (tmp_path / "x").write_text("old")
    with pytest.raises(ZeroDivisionError), replacing(tmp_path / "x") as aside:
        if is_folder:
            (aside / "deep").mkdir(parents=True)
        else:
            aside.write_text("half")
            Path(f"{aside}.wal").write_text("a log of DuckDB")
        raise ZeroDivisionError
    assert names(tmp_path) == ["x"] and (tmp_path / "x").read_text() == "old"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_leaves_the_old_one_and_nothing_else(tmp_path: Path, number: int) -> None:
    (tmp_path / "x").write_text("old")
    program = """
        import os, sys
        from pathlib import Path
        from pipeline.load.files import replacing
        from pipeline.process.signals import listen
        listen()
        with replacing(Path(sys.argv[1])) as aside:
            aside.write_text("half")
            os.kill(os.getpid(), int(sys.argv[2]))
    """
    words = [sys.executable, "-c", textwrap.dedent(program), str(tmp_path / "x"), str(int(number))]
    done = subprocess.run(words, capture_output=True, check=False)
    assert done.returncode == 128 + number
    assert names(tmp_path) == ["x"] and (tmp_path / "x").read_text() == "old"


def test_what_a_killed_process_left_under_the_same_name_is_no_obstacle(tmp_path: Path) -> None:
    with replacing(tmp_path / "x") as aside:
        left = aside
        aside.touch()
    left.mkdir()
    (left / "half").touch()
    replace_file(tmp_path / "x", b"new")
    assert names(tmp_path) == ["x"]


def test_a_name_may_be_as_long_as_names_can_be(tmp_path: Path) -> None:
    for name in ("n" * 255, "\U0001f600" * 63):
        replace_file(tmp_path / name, b"")
    assert names(tmp_path) == ["n" * 255, "\U0001f600" * 63]


def test_what_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder/inner").mkdir(parents=True)
    for name, reason in (("file/x", "File exists"), ("folder", "Is a directory")):
        with pytest.raises(WarehouseError) as raised:
            replace_file(tmp_path / name, b"")
        assert str(raised.value) == (
            f"{tmp_path / name}: cannot be written ({reason}). Free disk space, grant permission"
            " to write, or choose another path."
        )
    assert names(tmp_path) == ["file", "folder"] and names(tmp_path / "folder") == ["inner"]


def test_outputs_follow_links_and_go_straight_to_pipes(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("target")
    with writing_to(tmp_path / "link") as path:
        path.write_text("new")
    assert (tmp_path / "target").read_text() == "new" and (tmp_path / "link").is_symlink()
    with writing_to(Path("/dev/null")) as path:
        assert path == Path("/dev/null")
    with pytest.raises(UsageError, match=r"is a folder .*Name a file"), writing_to(tmp_path):
        pass
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BrokenPipeError), writing_to(tmp_path / "pipe"):
        raise BrokenPipeError


def test_a_device_that_is_full_is_named() -> None:
    message = r"^/dev/full: cannot be written \(No space left"
    with (
        pytest.raises(WarehouseError, match=message),
        writing_to(Path("/dev/full")) as path,
        open(path, "w") as file,
    ):
        file.write("x")
