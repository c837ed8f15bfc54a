"""Names, texts and paths in SQL mean what they say, whatever they hold."""

from pathlib import Path

import duckdb
from hypothesis import given
from hypothesis import strategies as st

from pipeline.views.quoting import identifier, path_literal, quoted

texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)


@given(texts, texts)
def test_any_text_is_a_literal_and_any_name_an_identifier(text: str, name: str) -> None:
    result = duckdb.sql(f"select {quoted(text)} as {identifier(name)}")
    assert (result.columns, result.fetchall()) == ([name], [(text,)])


def test_a_path_with_wildcards_matches_itself_only(tmp_path: Path) -> None:
    for name in ("it's [a]", "a*", "ab", "?"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.csv").write_text(f"name\n{name}\n")
    for name in ("it's [a]", "a*", "?"):
        for literal in (
            path_literal(f"{tmp_path}/{name}/x.csv"),
            path_literal(f"{tmp_path}/{name}", "/*.csv"),
        ):
            rows = duckdb.sql(f"from read_csv([{literal}], header = true)").fetchall()
            assert rows == [(name,)]
