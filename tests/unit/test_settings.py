"""Settings: who wins, and what a mistake says."""

from pathlib import Path

import pytest

from pipeline.errors import UsageError
from pipeline.settings import Settings, load_settings


def test_flags_win_over_variables_over_the_file_over_defaults(tmp_path: Path) -> None:
    file = tmp_path / "pipeline.toml"
    file.write_text('workers = 1\npart_size = 2\nmax_rejects = "1%"\nsources = ["a", "b=c"]\n')
    environment = {
        "PIPELINE_WORKERS": "3",
        "PIPELINE_PART_SIZE": "4",
        "PIPELINE_OTHER": "x",
        "OTHER": "y",
    }
    settings, origins = load_settings(
        {"workers": 5, "strict": None}, environment=environment, file=file
    )
    assert settings == Settings(workers=5, part_size=4, max_rejects="1%", sources=("a", "b=c"))
    assert {
        name: origins[name].origin for name in ("workers", "part_size", "max_rejects", "strict")
    } == {
        "workers": "flag",
        "part_size": "PIPELINE_PART_SIZE",
        "max_rejects": "pipeline.toml",
        "strict": "default",
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("colour = 1", r"pipeline\.toml: there is no setting 'colour'\. Known are sources"),
        ("workers = -1", r"pipeline\.toml: workers = -1 does not fit"),
        ('max_rejects = "few"', "neither a number nor a percentage"),
        ("part_size = ", "cannot be read"),
    ],
)
def test_mistakes_name_their_origin(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "pipeline.toml"
    file.write_text(text)
    with pytest.raises(UsageError, match=message):
        load_settings(environment={}, file=file)


@pytest.mark.parametrize(
    ("rule", "files", "most"),
    [("", 10, None), ("3", 10, 3), ("0", 10, 0), ("5%", 1000, 50), ("0.1%", 1999, 1)],
)
def test_max_rejects(rule: str, files: int, most: int | None) -> None:
    assert Settings(max_rejects=rule).max_rejected(files) == most
