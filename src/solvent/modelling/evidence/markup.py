"""HTML from plain values: whatever is not made here is escaped, and a page asks nothing of any other address.

By the standard library alone: what the training container has beyond its framework is AWS's to change.
"""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

STYLE = """
:root { color-scheme: light; --ink: #1c2530; --soft: #5a6673; --line: #d5dbe1; --good: #1f6f8b; --bad: #b3441e; }
body { margin: 0 auto; padding: 1.5rem; max-width: 62rem; font: 16px/1.5 system-ui, sans-serif; color: var(--ink); }
h1 { line-height: 1.2; } h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); }
.draft { border: 2px solid var(--bad); padding: .5rem 1rem; font-weight: 600; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; min-width: min(100%, 36rem); margin: 1rem 0; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--soft); padding-bottom: .25rem; }
th, td { padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--line); text-align: right; }
td { white-space: nowrap; }
th:first-child, td:first-child { text-align: left; overflow-wrap: anywhere; min-width: 9rem; }
.words td, .words th { text-align: left; white-space: normal; overflow-wrap: anywhere; }
.plots { display: flex; flex-wrap: wrap; gap: 1rem; } figure { margin: 0; flex: 1 1 18rem; max-width: 30rem; }
svg { width: 100%; height: auto; font: 11px system-ui, sans-serif; } figcaption { color: var(--soft); }
.named { white-space: nowrap; margin-left: .5em; }
"""


class Html(str):
    """Text that is HTML already."""


def element(name: str, *children: Any, **attributes: Any) -> Html:
    """`<name ...>children</name>`; `class_` is written class, an underscore in a name a hyphen."""
    written = "".join(f' {k.strip("_").replace("_", "-")}="{escape(str(v))}"' for k, v in attributes.items())
    return Html(f"<{name}{written}>{join(children)}</{name}>")


def join(children: Iterable[Any]) -> Html:
    return Html("".join(child if isinstance(child, Html) else escape(text(child)) for child in children))


def text(value: Any) -> str:
    """Numbers with four significant digits, nothing as a dash."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value)


def percent(value: float | None) -> str | None:
    return None if value is None else f"{value:.1%}"


def between(interval: Sequence[float] | None, *, share: bool = False) -> str | None:
    if interval is None:
        return None
    low, high = (percent(v) if share else text(float(v)) for v in interval)
    return f"{low} to {high}"


def table(caption: str, header: Sequence[str], rows: Iterable[Sequence[Any]], *, words: bool = False) -> Html:
    """The first column of a row is its header; `words` aligns the others to the left. Without rows it says so."""
    lines = [
        element("tr", element("th", first, scope="row"), *(element("td", cell) for cell in rest))
        for first, *rest in rows
    ]
    if not lines:
        return element("p", f"{caption}: nothing to report.")
    head = element("tr", *(element("th", name, scope="col") for name in header))
    whole = element("table", element("caption", caption), element("thead", head), element("tbody", *lines))
    if words:
        whole = Html(whole.replace("<table>", '<table class="words">', 1))
    return element("div", whole, class_="scroll", tabindex="0", role="region", aria_label=caption)


def page(title: str, *sections: Html) -> str:
    """A whole document; its policy forbids the browser any request."""
    head = (
        Html('<meta charset="utf-8">'),
        Html('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        Html("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"),
        element("title", title),
        element("style", Html(STYLE)),
    )
    return "<!doctype html>\n" + element("html", element("head", *head), element("body", *sections), lang="en") + "\n"
