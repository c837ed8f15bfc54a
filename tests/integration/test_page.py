"""The HTML page in a real browser: it loads alone, its parts work, and data stay text."""

import datetime as dt
import re
import struct
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from pipeline.load.warehouse import Warehouse
from pipeline.report import compose
from pipeline.report.page.blocks import safe_link
from pipeline.report.sections import all_reports
from pipeline.report.selection import Selection
from pipeline.sample import write_site
from tests.support.browser import Visit, chromium
from tests.support.world import NOW, World, article

ROOT = Path(__file__).parents[2]
TABS = ("overview", *all_reports())
ATTACK = "<script>window.hacked=1;alert(1)</script>"
TITLES = (
    ATTACK,
    "</script><img src=x onerror=window.hacked=1>",
    "\"'><svg onload=window.hacked=1>",
    "{{7*7}} ${7*7} \u2028 <!--",
)


def hostile(number: int, title: str) -> str:
    quoted = title.replace("\\", "\\\\").replace('"', '\\"').replace("\u2028", "\\u2028")
    return (
        f'---\ntitle: "{quoted}"\npublishedDateTime: 2024-02-0{number + 1}T10:00:00Z\nquality:'
        f" 500\nheat: {9000 + number}\n"
        'webUrl: "javascript:window.hacked=1"\noriginalUrl:'
        f' "https://evil.example/{number}?q=<b>"\ntopics: ["{quoted}", AI]\n'
        f'provider: {{name: "{quoted}", domain: evil.example}}\n'
        f'related: [{{title: "{quoted}", webUrl: "https://evil.example/r", quality: 600,'
        f' provider: {{name: "{quoted}"}}}}]\n---\n'
    )


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World(tmp_path_factory.mktemp("page"))
    write_site(world.site / "sample", 400, 3)
    world.run(now=NOW)
    world.write(
        {
            f"_news/hostile-{number}.md": hostile(number, title)
            for number, title in enumerate(TITLES)
        }
    )
    world.run(now=NOW + dt.timedelta(hours=1))
    return world


@pytest.fixture(scope="module")
def path(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("html") / "the report.html"
    path.write_text(
        compose.as_html(Warehouse(world.warehouse), compose.reports_of("all"), Selection()),
        encoding="utf-8",
    )
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


def test_the_page_is_one_small_file(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.encode()) < 3_000_000
    shipped = (ROOT / "pipeline" / "report" / "page" / "vega.js").read_text(encoding="utf-8")
    assert f"<script>{shipped}</script>" in text
    outside = re.sub(r"<script>.*?</script>", "", text, flags=re.S)
    assert not re.search(r"<(?:link|img|script|iframe)[^>]+(?:src|href)=\"(?!data:)", outside)
    assert "default-src &#39;none&#39;" in text and "unsafe-eval" not in text


def test_it_loads_without_errors_or_requests_and_nothing_is_injected(
    browser: Browser, path: Path
) -> None:
    visit = Visit(browser, path)
    for tab in TABS:
        visit.open(tab)
    assert visit.messages == []
    assert [url for url in visit.requests if not url.startswith(("file:", "data:"))] == []
    assert visit.page.evaluate("window.hacked") is None
    assert visit.page.locator("#heat td", has_text=ATTACK).first.inner_text() == ATTACK
    links = visit.page.eval_on_selector_all(
        "a[href]", "all => all.map(a => [a.getAttribute('href'), a.rel, a.target])"
    )
    assert len(links) > 50
    for href, rel, target in links:
        assert href.startswith("#") or (
            re.match(r"https?://", href) and "noopener" in rel and target == "_blank"
        ), href
    assert (
        visit.page.evaluate(
            "document.querySelectorAll('td script, td img, td svg, dd script, h3 script').length"
        )
        == 0
    )


def test_the_policy_blocks_the_network(browser: Browser, path: Path) -> None:
    visit = Visit(browser, path)
    answer = visit.page.evaluate(
        """() => Promise.all([
            fetch('https://example.com/').then(() => 'loaded', () => 'blocked'),
            new Promise(done => { const i = new Image();
                                  i.onload = () => done('loaded');
                                  i.onerror = () => done('blocked');
                                  i.src = 'https://example.com/x.png'; }),
            new Promise(done => { const s = document.createElement('script');
                                  s.textContent = 'window.ran = 1';
                                  document.body.append(s);
                                  done(window.ran ? 'loaded' : 'blocked'); })])"""
    )
    assert answer == ["blocked"] * 3
    assert any("Content Security Policy" in text for text in visit.messages)


def test_tabs_by_mouse_keyboard_and_address(browser: Browser, path: Path) -> None:
    page = Visit(browser, path).page

    def shown() -> list[str]:
        found: list[str] = page.eval_on_selector_all(
            "[role=tabpanel]:not([hidden])", "all => all.map(panel => panel.id)"
        )
        return found

    assert shown() == ["overview"]
    page.click("#tab-heat")
    assert shown() == ["heat"] and page.url.endswith("#heat")
    page.keyboard.press("ArrowRight")
    assert shown() == ["coverage"] and page.evaluate("document.activeElement.id") == "tab-coverage"
    page.keyboard.press("Home")
    page.keyboard.press("ArrowLeft")
    assert shown() == ["health"]
    page.evaluate("location.hash = 'quality_by_topic'")
    page.wait_for_function("!document.getElementById('quality').hidden")
    assert shown() == ["quality"]


def test_tables_sort_filter_and_show_more(browser: Browser, path: Path) -> None:
    visit = Visit(browser, path)
    visit.open("heat")
    section = visit.page.locator("#heat_now")
    visible = section.locator("tbody tr:visible")
    assert visible.count() == 10

    def column(at: int) -> list[str]:
        found: list[str] = visible.locator(f"td:nth-child({at})").evaluate_all(
            "all => all.map(cell => cell.dataset.v)"
        )
        return found

    heat = section.locator("th", has_text="heat").nth(1)
    heat.locator("button").click()
    assert heat.get_attribute("aria-sort") == "descending"
    assert [int(value) for value in column(3)] == sorted(map(int, column(3)), reverse=True)
    heat.locator("button").click()
    assert heat.get_attribute("aria-sort") == "ascending"
    assert [int(value) for value in column(3)] == sorted(map(int, column(3)))
    section.locator("th", has_text="title").locator("button").click()
    assert section.locator("th", has_text="title").get_attribute("aria-sort") == "ascending"
    titles = column(1)
    section.locator("th", has_text="title").locator("button").click()
    assert (
        section.locator("th", has_text="title").get_attribute("aria-sort") == "descending"
        and column(1) != titles
    )
    section.locator("button.more").click()
    assert visible.count() == section.locator("tbody tr").count() > 10
    section.locator("input").fill("onerror SCRIPT")
    assert visible.count() == 1 and section.locator(".count").inner_text().startswith("1 of ")
    section.locator("input").fill("nothing matches this")
    assert visible.count() == 0


def test_every_chart_names_its_view_and_is_drawn(browser: Browser, path: Path) -> None:
    visit = Visit(browser, path)
    drawn = 0
    for report in all_reports().values():
        visit.open(report.name)
        for section in report.sections:
            card = visit.page.locator(f"#{section.view}")
            if card.locator(".chart").count():
                drawn += 1
                assert card.locator(".chart svg").count() == 1, section.view
                assert section.chart is not None
                assert card.locator(".chart").get_attribute("aria-label") == section.chart.about
                card.locator("summary").click()
                assert section.view in card.locator("summary").inner_text()
                assert "select" in card.locator("details pre").last.inner_text()
    assert drawn >= 12


def test_a_chart_tells_its_figures_where_the_mouse_is(browser: Browser, path: Path) -> None:
    visit = Visit(browser, path)
    visit.open("quality")
    bar = visit.page.locator("#quality_histogram .chart .mark-rect path").first
    bar.hover()
    tooltip = visit.page.locator("#vg-tooltip-element.visible")
    texts = [cell.inner_text() for cell in tooltip.locator("td").all()]
    cells = visit.page.locator("#quality_histogram tbody tr").first.locator("td").all()
    low, high, articles, share, *_ = (cell.inner_text().replace(" %", "%") for cell in cells)
    expected = {"low": low, "articles": articles, "high": high, "share": share}
    assert dict(zip(texts[::2], texts[1::2], strict=True)) == expected
    assert visit.messages == []


def test_light_dark_and_phone(browser: Browser, path: Path) -> None:
    visit = Visit(browser, path, scheme="dark")
    paper = "getComputedStyle(document.body).backgroundColor"
    assert visit.page.evaluate(paper) == "rgb(15, 20, 25)"
    visit.open("quality")
    visit.page.click("#theme")
    assert visit.page.evaluate(paper) == "rgb(255, 255, 255)"
    visit.drawn("quality")
    assert visit.messages == []
    phone = Visit(browser, path, width=360, height=740)
    for tab in TABS:
        phone.open(tab)
        assert phone.page.evaluate("document.documentElement.scrollWidth") <= 360, tab


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_serious_for_screen_readers(browser: Browser, path: Path, scheme: str) -> None:
    visit = Visit(browser, path, scheme=scheme)
    for tab in TABS:
        visit.open(tab)
        found = Axe().run(visit.page).response["violations"]
        serious = [
            (rule["id"], rule["nodes"][0]["html"])
            for rule in found
            if rule["impact"] in ("serious", "critical")
        ]
        assert serious == [], tab


def test_print_shows_every_report(browser: Browser, path: Path) -> None:
    visit = Visit(browser, path)
    visit.page.emulate_media(media="print")
    assert visit.page.locator("[role=tabpanel]:visible").count() == len(TABS)
    assert visit.page.locator("nav:visible, .tools:visible").count() == 0


def test_the_readme_shows_a_picture_of_the_page(
    browser: Browser, path: Path, tmp_path: Path
) -> None:
    from docs._scripts.screenshot import PICTURE, SIZE, take

    take(browser, path, tmp_path / "page.png")
    for picture in (tmp_path / "page.png", PICTURE):
        head = picture.read_bytes()[:24]
        assert head.startswith(b"\x89PNG") and struct.unpack(">II", head[16:24]) == SIZE
    assert f"]({PICTURE.relative_to(ROOT)})" in (ROOT / "README.md").read_text()


def test_what_changed_stands_in_the_overview(browser: Browser, path: Path) -> None:
    text = Visit(browser, path).page.locator("#changes").inner_text()
    assert "4 added (" in text and ATTACK in text and "_news/hostile-0.md" in text


def test_a_history_is_drawn_as_panels_and_a_curve_with_ticks(
    browser: Browser, tmp_path: Path
) -> None:
    world = World(tmp_path)
    for hour, excess in enumerate((0, 5, 9, 3, 0, 0)):
        hot = {f"{n}.md": article(title=f"T{n}", heat=str(50 + excess * n)) for n in range(1, 14)}
        world.write({**hot, "s.md": article(title="S", heat={5: "51", 9: "-1"}.get(excess, "50"))})
        world.run(now=NOW + dt.timedelta(hours=12 * hour))
    path = tmp_path / "history.html"
    path.write_text(
        compose.as_html(Warehouse(world.warehouse), compose.reports_of("heat"), Selection()),
        encoding="utf-8",
    )
    for width, across in ((1200, 4), (360, 1)):
        visit = Visit(browser, path, width=width)
        visit.open("heat")
        assert visit.messages == []
        titles = (
            visit.page.locator("#heat_lifecycle .chart .role-title-text text")
            .filter(has_text=re.compile(r"^\d+\. "))
            .all()
        )
        assert [title.text_content() for title in titles] == [
            f"{place}. T{14 - place}" for place in range(1, 13)
        ]
        boxes = [title.bounding_box() for title in titles]
        assert len({round(box["x"] + box["width"] / 9) for box in boxes if box}) >= across
        tops = sorted(box["y"] for box in boxes if box)
        gaps = [lower - upper for upper, lower in pairwise(tops) if lower - upper > 20]
        assert len(gaps) + 1 == 12 // across
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= width
    assert visit.page.locator("#heat_survival .chart svg .mark-symbol path").count() == 1, (
        "the suppressed one is censored"
    )
    assert (
        "14 of 14 lives rose above their quality; 0 of these are still above"
        in visit.page.locator("#heat_lifecycle").inner_text()
    )
    assert "Spells: 1, in 1 of 14 lives" in visit.page.locator("#suppression_history").inner_text()


def test_a_single_run_draws_no_history_and_says_what_to_do(
    browser: Browser, tmp_path: Path
) -> None:
    world = World(tmp_path)
    world.write({"a.md": article(heat="70")})
    world.run(now=NOW)
    path = tmp_path / "single.html"
    path.write_text(
        compose.as_html(Warehouse(world.warehouse), compose.reports_of("heat"), Selection()),
        encoding="utf-8",
    )
    visit = Visit(browser, path)
    visit.open("heat")
    for view in (
        "heat_lifecycle",
        "heat_survival",
        "topic_heat_index",
        "score_churn",
        "heat_movers",
    ):
        assert visit.page.locator(f"#{view} .chart").count() == 0, view
    assert (
        "keep running, or give a source with its git history"
        in visit.page.locator("#heat_lifecycle").inner_text()
    )
    assert (
        "keep running, or give a source with its git history"
        in visit.page.locator("#heat_movers").inner_text()
    )


def test_an_empty_warehouse_gives_a_page_that_says_so(browser: Browser, tmp_path: Path) -> None:
    empty = World(tmp_path)
    empty.run(allow_empty=True)
    path = tmp_path / "empty.html"
    path.write_text(
        compose.as_html(Warehouse(empty.warehouse), compose.reports_of("all"), Selection()),
        encoding="utf-8",
    )
    visit = Visit(browser, path)
    for tab in TABS:
        visit.open(tab)
    assert visit.messages == []
    assert "No articles." in visit.page.locator("header").inner_text()


@pytest.mark.parametrize(
    ("value", "link"),
    [
        ("https://a.example/x", "https://a.example/x"),
        ("http://a.example", "http://a.example"),
        ("javascript:alert(1)", None),
        ("JAVASCRIPT:alert(1)", None),
        ("https:///x", None),
        ("//a.example", None),
        ("data:text/html,x", None),
        ("http://[", None),
        (None, None),
    ],
)
def test_only_web_addresses_become_links(value: object, link: str | None) -> None:
    assert safe_link(value) == link
