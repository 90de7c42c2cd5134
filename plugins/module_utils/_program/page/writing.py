# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""Writes the status page and the metrics where something has changed, and nothing else.

ROOT/http/status/{index.html,style.css,…}          the first page, and how it looks
ROOT/http/status/machines.json                     what the inventory's machines do, for programs
ROOT/http/status/{machines,unknown}/….html         a page for each machine of the inventory, and for the last strangers
STATE/shown.json                                   what was told last, and what it was told from
STATE/metrics.{prom,json}                          metrics; the first one may lie elsewhere (Settings.textfile)
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import time
from typing import Any, Callable

from .. import listing, metrics
from ..contract import HTTP, STATUS, TOLD
from ..files import Files, FileSet, read, remove_leftovers, walk
from ..settings import Settings
from . import data, gathering, html, index, story, style
from .gathering import Look
from .known import Known

SHOWN, TEXT, JSON = "shown.json", "metrics.prom", "metrics.json"
FOLDER = f"{HTTP}/{STATUS}"
_NOTHING = Look(Known(), {}, None)


def refresh(settings: Settings, now: Callable[[], float] = time.time) -> bool:
    """Write what differs; whether there was something. OSError when it cannot be written."""
    with listing.kept(settings) as stories:
        stories.refresh()
        before, textfile = _shown(settings)
        seen = gathering.look(settings, stories, before)
        is_new = bool(seen.fresh) or seen.known != before.known
        files = FileSet(settings.root, 0o644, 0o755)
        written = _pages(settings, seen, now(), is_new=is_new)
        changed = len(files.write(written)) if written else 0
        changed += len(files.remove(_surplus(settings, seen, is_new=is_new)))
        error = _metrics(settings, seen.known, textfile, is_new=is_new)
        if is_new or changed or textfile != settings.textfile:
            noted = {**gathering.dump(seen), "form": form(), "textfile": settings.textfile}
            FileSet(settings.state, 0o600, 0o700).write({SHOWN: json.dumps(noted).encode()})
        if error or stories.error:
            raise error or stories.error  # type: ignore[misc]
        return is_new or changed > 0


def form() -> list[Any]:
    """Which program writes: another one tells the same in other words."""
    here = os.path.dirname(os.path.abspath(__file__))
    places = [metrics.__file__, *(os.path.join(here, name) for name in sorted(os.listdir(here)))]
    return [
        [os.path.basename(place), os.stat(place).st_mtime_ns] for place in places if place.endswith(".py")
    ]


def _shown(settings: Settings) -> tuple[Look, str]:
    """What was told last, nothing where that cannot be used; and where the metrics were written."""
    try:
        noted = json.loads(read(os.path.join(settings.state, SHOWN)))
        textfile = str(noted["textfile"])
    except (OSError, ValueError, LookupError, TypeError):
        return _NOTHING, ""
    is_whole = os.path.isfile(os.path.join(settings.root, FOLDER, "index.html")) is settings.page
    try:
        return (gathering.load(noted) if is_whole and noted["form"] == form() else _NOTHING), textfile
    except (ValueError, LookupError, TypeError, AttributeError):
        return _NOTHING, textfile


def _pages(settings: Settings, seen: Look, now: float, *, is_new: bool) -> Files:
    """The files of the page that may differ."""
    if not settings.page or not is_new:
        return {}
    told = {"index.html": index.page(seen.known, now), TOLD: data.text(seen.known, now)}
    told.update(_fixed())
    told.update({index.path(row): story.page(row, there, events, now) for row, there, events in seen.fresh})
    return {f"{FOLDER}/{path}": text.encode() for path, text in told.items()}


def _fixed() -> dict[str, str]:
    script = style.SCRIPT.replace("REFRESH", f"{1000 * html.REFRESH}")
    return {"style.css": style.STYLE, "refresh.js": script, "icon.svg": style.ICON}


def _surplus(settings: Settings, seen: Look, *, is_new: bool) -> list[str]:
    """Pages of machines that are gone; all of them where no page is wanted."""
    top = os.path.join(settings.root, FOLDER)
    if settings.page and not is_new:
        return []
    remove_leftovers(top, below=True)
    rows = (*seen.known.rows, *seen.known.strangers) if settings.page else ()
    wanted = {index.path(row) for row in rows} | ({"index.html", TOLD, *_fixed()} if settings.page else set())
    return [f"{FOLDER}/{path}" for path in walk(top) if path not in wanted]


def _metrics(settings: Settings, known: Known, textfile: str, *, is_new: bool) -> OSError | None:
    """Write them where they are wanted, and nowhere else; return what was in the way."""
    place = settings.textfile or os.path.join(settings.state, TEXT)
    earlier = textfile or os.path.join(settings.state, TEXT)
    if earlier != place:
        with contextlib.suppress(OSError):
            os.unlink(earlier)
    if not is_new and os.path.exists(place):
        return None
    folder, name = os.path.split(place)
    try:
        FileSet(settings.state, 0o600, 0o700).write({JSON: metrics.plain(known).encode()})
        if not os.path.isdir(folder):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), folder)
        FileSet(folder, 0o644, 0o755).write({name: metrics.text(known).encode()})
    except OSError as error:
        return error
    return None
