"""The frame of a page that stands alone: head, contents, summary, sections, and what works offline."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

from gigawright import __version__
from gigawright.report.html import Html, el
from gigawright.report.page import POLICY
from gigawright.report.parts import Section


def framed(title: str, command: str, summary: Html, sections: Sequence[Section]) -> str:
    """The page of a `command` as HTML: it works offline and asks nothing of another machine."""
    return "<!doctype html>\n" + el("html", _head(title, command), _body(summary, sections), lang="en")


def _asset(name: str) -> Html:
    return Html(files("gigawright.report").joinpath(f"data/{name}").read_text(encoding="utf-8"))


def _head(title: str, command: str) -> Html:
    return el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=POLICY),
        el("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        el("title", f"{title}: gigawright {command}"),
        el("link", rel="icon", href="data:,"),
        el("style", _asset("report.css")),
    )


def _body(summary: Html, sections: Sequence[Section]) -> Html:
    from plotly.offline import get_plotlyjs

    links = [("summary", "Summary"), *((section.id, section.title) for section in sections)]
    items = [el("li", el("a", text, href=f"#{name}")) for name, text in links]
    brand = el("a", "gigawright", href="#summary", cls="brand")
    contents = el("nav", brand, el("ol", items), cls="toc", aria_label="Contents")
    phone = el("details", el("summary", "Contents"), el("ol", items), cls="toc-phone")
    footer = el(
        "footer",
        f"Made by gigawright {__version__}. This page works offline and asks no other machine for anything.",
    )
    main = el("main", phone, summary, [section.html() for section in sections], footer, id="main")
    return el(
        "body",
        el("a", "Skip to the summary", href="#summary", cls="skip"),
        el("div", contents, main, cls="frame"),
        el("script", Html(get_plotlyjs())),
        el("script", _asset("report.js")),
    )
