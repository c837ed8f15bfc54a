"""Take the picture of the report page that the README shows: `make screenshot`."""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser

ROOT = Path(__file__).parents[2]
PICTURE = ROOT / "docs" / "images" / "report.png"
sys.path.insert(0, str(ROOT))

from tests.support.browser import Visit, chromium  # noqa: E402

SIZE = (1100, 980)


def take(browser: Browser, page: Path, picture: Path) -> None:
    """Write a PNG of the quality tab of a page."""
    visit = Visit(browser, page, width=SIZE[0], height=SIZE[1])
    visit.open("quality")
    visit.page.screenshot(path=picture)


def main() -> None:
    """Build the sample site, write its report, and take the picture."""
    import pipeline
    from pipeline.load.warehouse import Warehouse
    from pipeline.report import compose
    from pipeline.report.selection import Selection

    with tempfile.TemporaryDirectory() as folder:
        warehouse, page = Path(folder) / "warehouse", Path(folder) / "report.html"
        pipeline.run(ROOT / "data" / "raw", warehouse=warehouse)
        page.write_text(
            compose.as_html(Warehouse(warehouse), compose.reports_of("all"), Selection()),
            encoding="utf-8",
        )
        with chromium() as browser:
            take(browser, page, PICTURE)


if __name__ == "__main__":
    main()
