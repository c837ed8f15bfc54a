"""A real headless Chromium, and what a page did in it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium_path() -> str | None:
    """Where Chromium lies; None where it is not installed."""
    return (
        os.environ.get("CHROMIUM")
        or shutil.which("chromium")
        or shutil.which("chromium-browser")
        or shutil.which("google-chrome")
    )


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser; skips the test where Chromium is not installed."""
    path = chromium_path()
    if path is None:
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


class Visit:
    """A page that was opened, its messages and its requests to the network."""

    def __init__(
        self,
        browser: Browser,
        path: Path,
        *,
        width: int = 1200,
        height: int = 900,
        scheme: str = "light",
    ) -> None:
        self.messages: list[str] = []
        self.requests: list[str] = []
        self.page: Page = browser.new_page(
            viewport={"width": width, "height": height}, color_scheme=scheme
        )  # type: ignore[arg-type]
        self.page.on(
            "console", lambda message: self.messages.append(f"{message.type}: {message.text}")
        )
        self.page.on("pageerror", lambda error: self.messages.append(f"error: {error}"))
        self.page.on(
            "dialog",
            lambda dialog: (self.messages.append(f"dialog: {dialog.message}"), dialog.dismiss()),
        )
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(path.as_uri())

    def open(self, tab: str) -> None:
        """Choose a tab and wait for its charts."""
        self.page.click(f"#tab-{tab}")
        self.drawn(tab)

    def drawn(self, tab: str) -> None:
        """Wait for the charts of a tab."""
        self.page.wait_for_function(
            "id => [...document.querySelectorAll(`#${id} .chart`)].every(e => e.dataset.drawn)",
            arg=tab,
        )
