# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""Where served files lie. It makes them so, each machine by itself: one that cannot be served keeps no other."""

from __future__ import annotations

import grp
import os
import re
from typing import Callable, Dict, Iterable, Mapping

from .contract import HTTP, MACHINES, SEEDS, TOKEN_PATTERN
from .files import Files, FileSet, read, remove_leftovers, sync
from .publication import seeds_below
from .served import Seeds, Served, prepared
from .settings import Settings

# An entry that installs leads to a seed.
_INSTALLS = re.compile(f"/{MACHINES}/[^/]+/{TOKEN_PATTERN}/".encode())

Parts = Mapping[str, Served]
"""MAC, or "" for what is there for everybody → what is to be served."""

Errors = Dict[str, OSError]
"""The same → why it could not be."""


class Shelf:
    """The files below the server's root. changed: how many files were."""

    def __init__(self, at: Settings) -> None:
        self.root = at.root
        self.entries = FileSet(at.root, 0o644, 0o755)
        self.secrets = FileSet(at.root, 0o640, 0o750, grp.getgrnam(at.group).gr_gid)
        self.changed = 0

    def seeds(self, name: str = "") -> Seeds:
        """The seeds that are there, of one machine or of all."""
        return seeds_below(self.root, name)

    def withdraw(self, parts: Parts) -> Errors:
        """Take away what must not be handed out. Nothing here needs space on the disk."""
        errors: Errors = {}
        for mac, part in parts.items():
            texts = [*part.rests.items(), *((path, None) for path in sorted(part.blind))]
            for path, text in texts:
                try:
                    self._rest(path, text)
                except OSError as error:
                    errors[mac] = error
            kept = self._remove(self.entries, part.absent)
            if kept is not None:
                errors[mac] = kept
        return errors

    def _rest(self, path: str, text: bytes | None) -> None:
        """Let an entry be this text, or None: whatever was prepared for it."""
        place, successor = os.path.join(self.root, path), os.path.join(self.root, prepared(path))
        now, ready = _content(place), _content(successor)
        if now is None or now == text:
            return
        if ready is not None and text in (ready, None):
            os.replace(successor, place)
        elif _INSTALLS.search(now):
            os.unlink(place)  # its text is written later, if it can be
        else:
            return
        sync([os.path.dirname(place)])
        self.changed += 1

    def _remove(self, files: FileSet, paths: Iterable[str]) -> OSError | None:
        """Remove files, as far as that is possible; return what kept one of them."""
        try:
            self.changed += len(files.remove(sorted(paths)))
        except OSError:
            kept = None
            for path in sorted(paths):
                try:
                    self.changed += len(files.remove([path]))
                except OSError as error:
                    kept = error
            return kept
        return None

    def put_seeds(self, parts: Parts) -> Errors:
        """Write seeds; nothing leads to new ones yet."""
        self.entries.make_folder(HTTP)  # for all to read, unlike those of seeds
        return self._each(parts, lambda part: self.secrets.write(part.seeds))

    def put_entries(self, parts: Parts) -> Errors:
        """Write what firmware and loaders read."""
        return self._each(parts, lambda part: self.entries.write({**part.rests, **part.entries}))

    def put_receipts(self, parts: Parts) -> Errors:
        """Write what tells installers to go on."""
        return self._each(parts, lambda part: self.secrets.write(part.receipts))

    def clear(self, parts: Parts, there: Seeds) -> Errors:
        """Remove the seeds that nobody may read any more. there: those that these machines, or all, had."""
        wanted = {path for part in parts.values() for path in (*part.seeds, *part.kept, *part.receipts)}
        error = self._remove(self.secrets, set().union(*there.values()) - wanted)
        return {} if error is None else {"": error}

    def sweep(self, folders: Iterable[str]) -> None:
        """Remove what a run that was killed has left in these folders, and among the seeds."""
        for folder in folders:
            remove_leftovers(os.path.join(self.root, folder))
        remove_leftovers(os.path.join(self.root, SEEDS), below=True)
        _remove_empty(os.path.join(self.root, SEEDS))

    def _each(self, parts: Parts, write: Callable[[Served], list[str]]) -> Errors:
        """Write all parts together, which is quick; or each by itself, when that fails."""
        if not parts:
            return {}
        try:
            self.changed += len(write(_joined(parts.values())))
        except OSError:
            return self._one_by_one(parts, write)
        return {}

    def _one_by_one(self, parts: Parts, write: Callable[[Served], list[str]]) -> Errors:
        errors: Errors = {}
        for mac, part in parts.items():
            try:
                self.changed += len(write(part))
            except OSError as error:
                errors[mac] = error
        return errors


def _joined(parts: Iterable[Served]) -> Served:
    rests: Files = {}
    entries: Files = {}
    seeds: Files = {}
    receipts: Files = {}
    for part in parts:
        rests.update(part.rests)
        entries.update(part.entries)
        seeds.update(part.seeds)
        receipts.update(part.receipts)
    return Served(rests=rests, entries=entries, seeds=seeds, receipts=receipts)


def _content(place: str) -> bytes | None:
    try:
        return read(place)
    except OSError:
        return None


def _remove_empty(top: str) -> None:
    for folder, dummy, _names in os.walk(top, topdown=False):
        if folder != top:
            try:
                os.rmdir(folder)
            except OSError:
                continue  # it holds something
