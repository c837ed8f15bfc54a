"""The history of heat: a few observations go in, exact rows come out."""

from collections.abc import Iterator

import duckdb
import pytest

from tests.support.histories import Seen, moved, scores, set_history, world
from tests.support.rows import rows_of

HISTORY = [
    # a rises and falls, its content changes, it falls below its quality and is still there
    Seen("a", 0, "first", 10, 10),
    Seen("a", 2, "scores", 30, 10),
    Seen("a", 4, "content", 30, 10),
    Seen("a", 6, "content_and_scores", 18, 10),
    Seen("a", 10, "scores", 9, 10, False),
    # b is suppressed from above, twice seen so, scored again, suppressed when last seen
    *scores("b", [(0, 50, 40), (6, -1, 40), (8, -1, 45), (12, 46, 45), (40, -1, 45)]),
    # m moves while it is above, and goes on
    Seen("m", 0, "first", 20, 20),
    Seen("m", 3, "scores", 25, 20),
    *moved("m", "n", 5, 25, 20),
    Seen("n", 9, "scores", 20, 20),
    # d is deleted while it is above, and comes back
    Seen("d", 1, "first", 12, 8),
    Seen("d", 7, "deleted"),
    Seen("d", 20, "revived", 13, 8),
    # x is deleted; later y comes to its path
    Seen("x", 0, "first", 1, 1),
    Seen("x", 2, "deleted"),
    Seen("y", 0, "first", 7, 7),
    *moved("y", "x", 5, 8, 7),
    # u is never scored
    Seen("u", 0, "first", None, 3, None),
]

REVISIONS = {
    0: {"new": 8},
    2: {"score_only": 1, "deleted": 1},
    30: {"moved": 1, "secured_only": 2},
    31: {"secured_only": 3},
}

TOPICS = [("a", "AI"), ("b", "AI"), ("b", "Chips"), ("n", "Chips"), ("u", "AI")]


@pytest.fixture(scope="module")
def memory() -> Iterator[duckdb.DuckDBPyConnection]:
    with world() as connection:
        yield connection


def hours(name: str) -> str:
    return f"(epoch({name}) - epoch(timestamptz '2026-01-05 00:00:00+00')) / 3600"


EXPECTED: dict[str, tuple[str, list[tuple[object, ...]]]] = {
    "score_stretches": (
        f"select article_id, life, stretch, path, revision, {hours('valid_from')},"
        f" {hours('valid_to')}, {hours('known_until')}, {hours('until')}, hours, heat,"
        " heat_state, quality, heat_excess, is_published, observations, ended from"
        " score_stretches order by 1, 2, 3",
        rows_of(
            """
            article_id    a       a       a       a       b       b           b           b
            life          1       1       1       1       1       1           1           1
            stretch       1       2       3       4       1       2           3           4
            path          a.md    a.md    a.md    a.md    b.md    b.md        b.md        b.md
            revision      r0      r2      r6      r10     r0      r6          r8          r12
            valid_from    0.0     2.0     6.0     10.0    0.0     6.0         8.0         12.0
            valid_to      2.0     6.0     10.0    null    6.0     8.0         12.0        40.0
            known_until   48.0    48.0    48.0    48.0    48.0    48.0        48.0        48.0
            until         2.0     6.0     10.0    48.0    6.0     8.0         12.0        40.0
            hours         2.0     4.0     4.0     38.0    6.0     2.0         4.0         28.0
            heat          10      30      18      9       50      null        null        46
            heat_state    scored  scored  scored  scored  scored  suppressed  suppressed  scored
            quality       10      10      10      10      40      40          45          45
            heat_excess   0       20      8       -1      10      null        null        1
            is_published  true    true    true    false   true    true        true        true
            observations  1       2       1       1       1       1           1           1
            ended         null    null    null    null    null    null        null        null

            article_id    b           d        d       n       n       n       u         x
            life          1           1        2       1       1       1       1         1
            stretch       5           1        1       1       2       3       1         1
            path          b.md        d.md     d.md    m.md    m.md    n.md    u.md      x.md
            revision      r40         r1       r20     r0      r3      r9      r0        r0
            valid_from    40.0        1.0      20.0    0.0     3.0     9.0     0.0       0.0
            valid_to      null        7.0      null    3.0     9.0     null    null      2.0
            known_until   48.0        48.0     48.0    48.0    48.0    48.0    48.0      48.0
            until         48.0        7.0      48.0    3.0     9.0     48.0    48.0      2.0
            hours         8.0         6.0      28.0    3.0     6.0     39.0    48.0      2.0
            heat          null        12       13      20      25      20      null      1
            heat_state    suppressed  scored   scored  scored  scored  scored  unscored  scored
            quality       45          8        8       20      20      20      3         1
            heat_excess   null        4        5       0       5       0       null      0
            is_published  true        true     true    true    true    true    false     true
            observations  1           1        1       1       2       1       1         1
            ended         null        deleted  null    null    null    null    null      deleted

            article_id    x       x
            life          2       2
            stretch       1       2
            path          y.md    x.md
            revision      r0      r5
            valid_from    0.0     5.0
            valid_to      5.0     null
            known_until   48.0    48.0
            until         5.0     48.0
            hours         5.0     43.0
            heat          7       8
            heat_state    scored  scored
            quality       7       7
            heat_excess   0       1
            is_published  true    true
            observations  1       1
            ended         null    null
            """
        ),
    ),
    "heat_history": (
        f"select article_id, life, stretch, title, source, path, {hours('valid_from')},"
        f" {hours('valid_to')}, hours, heat, heat_state, quality, heat_excess, is_published,"
        " revision, observations, ended from heat_history",
        rows_of(
            """
            article_id    a       a       a       a       b       b           b           b
            life          1       1       1       1       1       1           1           1
            stretch       1       2       3       4       1       2           3           4
            title         A       A       A       A       B       B           B           B
            source        site    site    site    site    site    site        site        site
            path          a.md    a.md    a.md    a.md    b.md    b.md        b.md        b.md
            valid_from    0.0     2.0     6.0     10.0    0.0     6.0         8.0         12.0
            valid_to      2.0     6.0     10.0    null    6.0     8.0         12.0        40.0
            hours         2.0     4.0     4.0     38.0    6.0     2.0         4.0         28.0
            heat          10      30      18      9       50      null        null        46
            heat_state    scored  scored  scored  scored  scored  suppressed  suppressed  scored
            quality       10      10      10      10      40      40          45          45
            heat_excess   0       20      8       -1      10      null        null        1
            is_published  true    true    true    false   true    true        true        true
            revision      r0      r2      r6      r10     r0      r6          r8          r12
            observations  1       2       1       1       1       1           1           1
            ended         null    null    null    null    null    null        null        null

            article_id    b           d        d       n       n       n       u         x
            life          1           1        2       1       1       1       1         1
            stretch       5           1        1       1       2       3       1         1
            title         B           null     D       N       N       N       U         null
            source        site        site     site    site    site    site    site      site
            path          b.md        d.md     d.md    m.md    m.md    n.md    u.md      x.md
            valid_from    40.0        1.0      20.0    0.0     3.0     9.0     0.0       0.0
            valid_to      null        7.0      null    3.0     9.0     null    null      2.0
            hours         8.0         6.0      28.0    3.0     6.0     39.0    48.0      2.0
            heat          null        12       13      20      25      20      null      1
            heat_state    suppressed  scored   scored  scored  scored  scored  unscored  scored
            quality       45          8        8       20      20      20      3         1
            heat_excess   null        4        5       0       5       0       null      0
            is_published  true        true     true    true    true    true    false     true
            revision      r40         r1       r20     r0      r3      r9      r0        r0
            observations  1           1        1       1       2       1       1         1
            ended         null        deleted  null    null    null    null    null      deleted

            article_id    x       x
            life          2       2
            stretch       1       2
            title         X       X
            source        site    site
            path          y.md    x.md
            valid_from    0.0     5.0
            valid_to      5.0     null
            hours         5.0     43.0
            heat          7       8
            heat_state    scored  scored
            quality       7       7
            heat_excess   0       1
            is_published  true    true
            revision      r0      r5
            observations  1       1
            ended         null    null
            """
        ),
    ),
    "heat_lifecycle": (
        f"select article_id, life, title, url, provider, path, {hours('first_seen_at')},"
        f" {hours('known_until')}, ended, hours_known, peak_excess, {hours('peak_at')},"
        " hours_to_peak, hours_above_baseline, hours_suppressed, is_censored, observations,"
        " score_changes, last_excess, of_lives from heat_lifecycle",
        rows_of(
            """
            article_id            a                    b                    d
            life                  1                    1                    2
            title                 A                    B                    D
            url                   https://x.example/a  https://x.example/b  https://x.example/d
            provider              null                 null                 null
            path                  a.md                 b.md                 d.md
            first_seen_at         0.0                  0.0                  20.0
            known_until           48.0                 48.0                 48.0
            ended                 null                 null                 null
            hours_known           48.0                 48.0                 28.0
            peak_excess           20                   10                   5
            peak_at               2.0                  0.0                  20.0
            hours_to_peak         2.0                  0.0                  0.0
            hours_above_baseline  8.0                  34.0                 28.0
            hours_suppressed      0.0                  14.0                 0.0
            is_censored           false                false                true
            observations          5                    5                    1
            score_changes         3                    4                    0
            last_excess           -1                   null                 5
            of_lives              8                    8                    8

            article_id            n                    d        x
            life                  1                    1        2
            title                 N                    null     X
            url                   https://x.example/n  null     https://x.example/x
            provider              null                 null     null
            path                  n.md                 d.md     x.md
            first_seen_at         0.0                  1.0      0.0
            known_until           48.0                 7.0      48.0
            ended                 null                 deleted  null
            hours_known           48.0                 6.0      48.0
            peak_excess           5                    4        1
            peak_at               3.0                  1.0      5.0
            hours_to_peak         3.0                  0.0      5.0
            hours_above_baseline  6.0                  6.0      43.0
            hours_suppressed      0.0                  0.0      0.0
            is_censored           false                true     true
            observations          4                    1        2
            score_changes         2                    0        1
            last_excess           0                    4        1
            of_lives              8                    8        8

            article_id            u                    x
            life                  1                    1
            title                 U                    null
            url                   https://x.example/u  null
            provider              null                 null
            path                  u.md                 x.md
            first_seen_at         0.0                  0.0
            known_until           48.0                 2.0
            ended                 null                 deleted
            hours_known           48.0                 2.0
            peak_excess           null                 null
            peak_at               null                 null
            hours_to_peak         null                 null
            hours_above_baseline  0.0                  0.0
            hours_suppressed      0.0                  0.0
            is_censored           false                false
            observations          1                    1
            score_changes         0                    0
            last_excess           null                 0
            of_lives              8                    8
            """
        ),
    ),
    "heat_half_life": (
        "select article_id, life, title, peak_excess, n, hours_fitted, estimable, reason,"
        " of_lives from heat_half_life",
        rows_of(
            """
            article_id    a
            life          1
            title         A
            peak_excess   20
            n             2
            hours_fitted  4.0
            estimable     false
            reason        not estimable: fewer than 4 observations above quality from the peak on
            of_lives      6

            article_id    b
            life          1
            title         B
            peak_excess   10
            n             1
            hours_fitted  0.0
            estimable     false
            reason        not estimable: fewer than 4 observations above quality from the peak on
            of_lives      6

            article_id    d
            life          2
            title         D
            peak_excess   5
            n             1
            hours_fitted  0.0
            estimable     false
            reason        not estimable: fewer than 4 observations above quality from the peak on
            of_lives      6

            article_id    n
            life          1
            title         N
            peak_excess   5
            n             1
            hours_fitted  0.0
            estimable     false
            reason        not estimable: fewer than 4 observations above quality from the peak on
            of_lives      6

            article_id    d
            life          1
            title         null
            peak_excess   4
            n             1
            hours_fitted  0.0
            estimable     false
            reason        not estimable: fewer than 4 observations above quality from the peak on
            of_lives      6

            article_id    x
            life          2
            title         X
            peak_excess   1
            n             1
            hours_fitted  0.0
            estimable     false
            reason        not estimable: fewer than 4 observations above quality from the peak on
            of_lives      6
            """
        ),
    ),
    "heat_survival": (
        "select hours, at_risk, events, censored, round(survival, 6), round(std_error, 6),"
        " round(survival_low, 6), round(survival_high, 6), lives, median_hours,"
        " median_low_hours, median_high_hours from heat_survival",
        [
            (0.0, 6, 0, 0, 1.0, 0.0, None, None, 6, None, 6.0, None),
            (6.0, 6, 1, 2, 0.833333, 0.152145, 0.273123, 0.974712, 6, None, 6.0, None),
            (8.0, 3, 1, 0, 0.555556, 0.248452, 0.073442, 0.87607, 6, None, 6.0, None),
            (28.0, 2, 0, 1, 0.555556, 0.248452, 0.073442, 0.87607, 6, None, 6.0, None),
            (43.0, 1, 0, 1, 0.555556, 0.248452, 0.073442, 0.87607, 6, None, 6.0, None),
        ],
    ),
    "heat_movers": (
        f"select * exclude (changed_at, known_until, published_at), {hours('changed_at')},"
        f" {hours('known_until')} from heat_movers",
        [
            (
                "a",
                "A",
                "https://x.example/a",
                None,
                False,
                9,
                "scored",
                9,
                0,
                10,
                -1,
                10,
                -1,
                18,
                "scored",
                0,
                3,
                9.0,
                0.0,
                48.0,
                None,
                5,
                6,
                10.0,
                48.0,
            ),
            (
                "x",
                "X",
                "https://x.example/x",
                None,
                True,
                8,
                "scored",
                8,
                0,
                7,
                1,
                7,
                1,
                7,
                "scored",
                0,
                1,
                8.0,
                0.0,
                48.0,
                None,
                2,
                6,
                5.0,
                48.0,
            ),
            (
                "n",
                "N",
                "https://x.example/n",
                None,
                True,
                20,
                "scored",
                20,
                0,
                20,
                0,
                20,
                0,
                25,
                "scored",
                0,
                2,
                20.0,
                0.0,
                48.0,
                None,
                4,
                6,
                9.0,
                48.0,
            ),
            (
                "b",
                "B",
                "https://x.example/b",
                None,
                True,
                None,
                "suppressed",
                46,
                None,
                50,
                None,
                45,
                None,
                46,
                "scored",
                1,
                3,
                46.0,
                0.0,
                34.0,
                None,
                5,
                6,
                40.0,
                48.0,
            ),
        ],
    ),
    "topic_heat_index": (
        "select topic, week, article_hours, all_article_hours, round(mean_heat, 6),"
        " round(mean_excess, 6), round(all_mean_heat, 6), round(all_mean_excess, 6),"
        " round(heat_index, 6), round(excess_index, 6) from topic_heat_index",
        rows_of(
            """
            topic              AI          Chips
            week               2026-01-05  2026-01-05
            article_hours      82.0        82.0
            all_article_hours  206.0       206.0
            mean_heat          26.121951   31.439024
            mean_excess        1.97561     1.439024
            all_mean_heat      18.81068    18.81068
            all_mean_excess    1.820388    1.820388
            heat_index         138.867663  167.13391
            excess_index       108.526829  79.050407
            """
        ),
    ),
    "suppression_history": (
        f"select article_id, life, title, url, provider, path, {hours('suppressed_from')},"
        f" {hours('suppressed_to')}, hours, heat_before, heat_after, ended_as, of_lives from"
        " suppression_history",
        [
            ("b", 1, "B", "https://x.example/b", None, "b.md", 40.0, None, 8.0, 46, None, None, 7),
            ("b", 1, "B", "https://x.example/b", None, "b.md", 6.0, 12.0, 6.0, 50, 46, "scored", 7),
        ],
    ),
    "score_churn": (
        "select source, day, revisions, files, new, content, score_only, secured_only, moved,"
        " deleted, rejected, skipped, new_share,"
        " content_share, score_only_share, secured_only_share, quiet_revisions, quiet_share"
        " from score_churn",
        rows_of(
            """
            source              site        site                site
            day                 2026-01-05  2026-01-06          2026-01-07
            revisions           2           2                   1
            files               10          6                   1
            new                 8           0                   0
            content             0           0                   0
            score_only          1           0                   0
            secured_only        0           5                   1
            moved               0           1                   0
            deleted             1           0                   0
            rejected            0           0                   0
            skipped             0           0                   0
            new_share           0.8         0.0                 0.0
            content_share       0.0         0.0                 0.0
            score_only_share    0.1         0.0                 0.0
            secured_only_share  0.0         0.8333333333333334  1.0
            quiet_revisions     0           1                   1
            quiet_share         0.0         0.5                 1.0
            """
        ),
    ),
    "revision_kinds": (
        f"select source, sequence, revision, {hours('observed_at')}, kind, kinds, files, new,"
        " content, score_only, secured_only, moved, deleted,"
        " rejected, skipped from revision_kinds",
        [
            ("site", 1, "r0", 0.0, "new", 1, 8, 8, 0, 0, 0, 0, 0, 0, 0),
            ("site", 2, "r2", 2.0, "deleted", 2, 2, 0, 0, 1, 0, 0, 1, 0, 0),
            ("site", 3, "r30", 30.0, "moved", 2, 3, 0, 0, 0, 2, 1, 0, 0, 0),
            ("site", 4, "r31", 31.0, "secured_only", 1, 3, 0, 0, 0, 3, 0, 0, 0, 0),
            ("site", 5, "r48", 48.0, "secured_only", 1, 1, 0, 0, 0, 1, 0, 0, 0, 0),
        ],
    ),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_few_observations_give_exact_rows(memory: duckdb.DuckDBPyConnection, name: str) -> None:
    set_history(memory, HISTORY, until=48, topics=TOPICS, revisions=REVISIONS)
    query, rows = EXPECTED[name]
    assert memory.execute(query).fetchall() == rows
