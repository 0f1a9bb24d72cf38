"""A page as a browser would take it apart: where it leads, and what it would load."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path


class Page(HTMLParser):
    """Ids, links, captions and whatever a browser would load; nothing beside the page is needed."""

    @classmethod
    def read(cls, path: Path) -> Page:
        """The page in a file."""
        page = cls()
        page.feed(path.read_text(encoding="utf-8"))
        return page

    def __init__(self) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.captions: list[str] = []
        self.tag = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {key: value or "" for key, value in attrs}
        self.ids |= {values["id"]} if "id" in values else set()
        self.links += [values["href"]] if "href" in values else []
        self.loaded += [values[key] for key in ("src", "srcset", "data") if key in values]
        assert tag not in ("script", "link", "iframe"), "nothing beside the page is needed"
        self.tag = tag

    def handle_data(self, data: str) -> None:
        if self.tag == "style":
            assert not re.search(r"url\(|@import|//", data), "styles fetch nothing"
        elif self.tag == "figcaption" and data.strip():
            self.captions.append(data)
        self.tag = ""
