# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""HTML, and how whatever comes from the network is put into it. Pure."""

from __future__ import annotations

import html
from string import Template
from typing import Iterable

from ..doctor.finding import clean
from .known import moment

#: Seconds after which the page is asked for again. Characters of a text that is shown.
REFRESH, LONGEST = 30, 300

_DOCUMENT = Template(
    """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>$title</title>
<link rel="icon" type="image/svg+xml" href="${up}icon.svg">
<link rel="stylesheet" href="${up}style.css">
<script src="${up}refresh.js" defer></script>
<noscript><meta http-equiv="refresh" content="$refresh"></noscript>
</head>
<body>
<header>$head</header>
<main>
$body
</main>
<footer><p>Written at $written (UTC), when something changed last. It asks for news every $refresh seconds.</p></footer>
</body>
</html>
"""
)


def text(value: object) -> str:
    """Any text as text: without control characters, characters that turn the direction of writing, and tokens."""
    told = clean(str(value))
    return html.escape(told if len(told) <= LONGEST else told[: LONGEST - 1] + "…", quote=True)


def alone(value: object) -> str:
    """The same, for what may be written from right to left: it does not turn what stands beside it."""
    return f"<bdi>{text(value)}</bdi>"


def when(seconds: float) -> str:
    """A moment in UTC; nothing where there is none."""
    told = moment(seconds)
    return f'<time datetime="{told}">{told[:10]} {told[11:19]}</time>' if told else ""


def size(count: float) -> str:
    """Bytes for people."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:  # noqa: PLR2004
            return f"{count:.0f} {unit}" if unit in ("B", "kB", "MB") else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def table(caption: str, heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table; the first cell of a row is its head. Heads are texts, cells and the caption are HTML.

    The roles say again what the elements say: on a narrow screen rows are blocks, and browsers then forget it.
    """
    heads = [text(head) for head in heads]
    top = "".join(f'<th scope="col" role="columnheader">{head}</th>' for head in heads)
    lines = [
        f'<table role="table"><caption>{caption}</caption>',
        f'<thead role="rowgroup"><tr role="row">{top}</tr></thead>',
        '<tbody role="rowgroup">',
    ]
    for cells in rows:
        told: list[str] = []
        for head, cell in zip(heads, cells):
            tag, role = ("td", "cell") if told else ("th", "rowheader")
            scope = "" if told else ' scope="row"'
            told.append(f'<{tag}{scope} role="{role}" data-head="{head}"><div>{cell}</div></{tag}>')
        lines.append(f'<tr role="row">{"".join(told)}</tr>')
    return "\n".join([*lines, "</tbody>", "</table>"])


def document(title: str, head: str, body: str, written: float, *, up: str = "") -> str:
    """A whole page. title: a text. up: the way to the folder of the first page."""
    return _DOCUMENT.substitute(
        title=text(title), head=head, body=body, written=when(written), up=up, refresh=REFRESH
    )
