# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""The stories of all machines, kept in the state folder: what is new in the logs is added, what is old forgotten.

STATE/events/read.json                up to where the logs were read, and whose addresses are whose
STATE/events/machines/MAC.json        a machine's story; of strangers only the last STRANGERS
STATE/events/nobody.json              what nobody can tell whose it is
STATE/changes.log, changes.log.1      the program's own notes of changed states
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from types import TracebackType
from typing import Any, Callable, Dict, Iterable, List, Mapping

from ..contract import ACCESS_LOG, PROGRESS_LOG
from ..files import FileSet, read, remove_leftovers
from . import changes, dnsmasq, nginx, progress, sources
from .event import HTTP, TFTP, Event, Record
from .joining import Joiner
from .story import EVENTS, tell

FOLDER, READ, NOBODY = "events", "read.json", "nobody"
#: Machines of which the inventory knows nothing, but which have a story.
STRANGERS = 200
#: Kinds of events whose bytes are counted.
PROTOCOLS = (HTTP, TFTP)
#: Bytes of the installers' log of steps; a longer one is emptied when it was read, so that no installer fills a disk.
PROGRESS_BYTES = 4 << 20

Stories = Dict[str, List[Event]]


class Kept:
    """The stories, under a lock from `with` to its end.

    state: the state folder. names: MAC → machine. tftp: the folder of TFTP. log, steps: nginx's. journal: what is
    new there.
    error: why they could not be kept, on a full disk for instance; then they are told from memory all the same.
    sent: bytes that were sent to machines since the first look at the logs, by protocol; known after `refresh`.
    """

    def __init__(
        self,
        state: str,
        names: Mapping[str, str],
        tftp: str,
        *,
        log: str = ACCESS_LOG,
        steps: str = PROGRESS_LOG,
        journal: Callable[[str], tuple[list[str], str]] = sources.journal_lines,
    ) -> None:
        self.state, self.names, self.tftp, self.journal = state, names, tftp, journal
        self.log, self.steps = log, steps
        self.top = os.path.join(state, FOLDER)
        self.error: OSError | None = None
        self.sent: dict[str, int] = {}
        self._files = FileSet(state, 0o600, 0o700)
        self._lock = -1
        self._memory: Stories = {}  # what could not be kept

    def __enter__(self) -> Kept:
        try:
            self._files.make_folder(FOLDER)
            place = os.path.join(self.top, "lock")
            self._lock = os.open(place, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX)
            remove_leftovers(self.top)  # of one that was killed: nobody else writes now
        except OSError as error:
            self.error = error
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._lock >= 0:
            os.close(self._lock)

    def refresh(self) -> None:
        """Read what is new in the logs and keep it."""
        found = self._json(READ)
        places: dict[str, Any] = found if isinstance(found, dict) else {}
        joiner = Joiner(self.names, self.tftp, _size)
        # it was never written, or is damaged: then what comes now tells whose the addresses are
        with contextlib.suppress(KeyError, TypeError, ValueError, AttributeError):
            joiner.load(places["joiner"])
        self.sent = _counts(places.get("sent"))
        is_more = True
        while is_more:
            before = places
            events: Stories = {}
            records, places = self._new(before)
            for record in records:
                for event in joiner.feed(record):
                    _add(events, event, self.names)
                    if event.kind in PROTOCOLS:
                        self.sent[event.kind] = self.sent.get(event.kind, 0) + event.bytes
            places["joiner"], places["sent"] = joiner.dump(), dict(self.sent)
            if places != before:
                self._keep(events, places)
            is_more = any(places[log] != before.get(log, {}) for log in ("log", "changes", "steps"))
        self._shorten(places)

    def _new(self, places: Mapping[str, Any]) -> tuple[list[Record], dict[str, Any]]:
        told, cursor = self.journal(str(places.get("journal", "")))
        asked, log = sources.file_lines(self.log, _place(places.get("log")))
        said, steps = sources.file_lines(self.steps, _place(places.get("steps")), progress.LINE)
        changed, noted = sources.file_lines(
            os.path.join(self.state, changes.FILE), _place(places.get("changes"))
        )
        found = [
            *(dnsmasq.read(line) for line in told),
            *(nginx.read(line) for line in asked),
            *(changes.read(line) for line in changed),
            *(progress.read(line) for line in said),
        ]
        records = sorted((record for record in found if record), key=lambda record: record.time)
        return records, {"journal": cursor, "log": log, "changes": noted, "steps": steps}

    def _shorten(self, places: dict[str, Any]) -> None:
        """Empty the log of steps when it is long, and what it says is kept."""
        place = _place(places.get("steps"))
        if not self.error and sources.shorten(self.steps, place, PROGRESS_BYTES) != place:
            self._keep({}, {**places, "steps": {"inode": place["inode"], "at": 0}})

    def _keep(self, new: Mapping[str, Iterable[Event]], places: Mapping[str, Any]) -> None:
        told = {mac: tell(self.story(mac), events) for mac, events in new.items()}
        written = {path_of(mac): _dump(story) for mac, story in told.items()}
        # last, so that a cut leaves lines that are read once more: an event that is there already is not added again
        written[f"{FOLDER}/{READ}"] = json.dumps(places).encode()
        try:
            if self.error:
                raise self.error
            self._files.write(written)
            self._files.remove(path_of(mac) for mac in self._too_many())
        except OSError as error:
            self.error = error
            self._memory.update(told)

    def _too_many(self) -> list[str]:
        """Strangers whose stories go: there are more than STRANGERS, and nothing was heard of them for the longest."""
        strangers = [mac for mac in self.macs() if mac not in self.names]
        if len(strangers) <= STRANGERS:
            return []
        age = {mac: os.stat(os.path.join(self.state, path_of(mac))).st_mtime_ns for mac in strangers}
        return sorted(strangers, key=lambda mac: (age[mac], mac))[: len(strangers) - STRANGERS]

    def macs(self) -> list[str]:
        """The MAC addresses of all machines that have a story."""
        try:
            names = os.listdir(os.path.join(self.top, "machines"))
        except FileNotFoundError:
            return []
        return sorted(name[: -len(".json")].replace("-", ":") for name in names if name.endswith(".json"))

    def story(self, mac: str) -> list[Event]:
        """A machine's story; empty when it has none, or one that cannot be read."""
        if mac in self._memory:
            return self._memory[mac]
        try:
            raw = json.loads(read(os.path.join(self.state, path_of(mac))))
            return [Event(*one) for one in raw]
        except (OSError, ValueError, TypeError):
            return []

    def _json(self, name: str) -> Any:
        try:
            return json.loads(read(os.path.join(self.top, name)))
        except (OSError, ValueError):
            return None


def _place(raw: Any) -> sources.Place:
    """Where a log was read up to; nothing when that is damaged."""
    is_sound = isinstance(raw, dict) and all(isinstance(raw.get(key), int) for key in ("inode", "at"))
    return dict(raw) if is_sound else {}


def _counts(raw: Any) -> dict[str, int]:
    """What was counted earlier; nothing when that is damaged."""
    return (
        {str(key): value for key, value in raw.items() if isinstance(value, int)}
        if isinstance(raw, dict)
        else {}
    )


def _add(events: Stories, event: Event, names: Mapping[str, str]) -> None:
    """Add an event, and forget the stranger of whom nothing was heard for the longest when there are too many."""
    story = events.pop(event.mac, [])
    story.append(event)
    events[event.mac] = story if len(story) < 10 * EVENTS else tell([], story)
    if len(events) > STRANGERS + len(names) + 1:
        strangers = (mac for mac in events if mac and mac not in names)
        del events[next(strangers)]


def path_of(mac: str) -> str:
    """Where a story is, below the state folder."""
    return f"{FOLDER}/machines/{mac.replace(':', '-')}.json" if mac else f"{FOLDER}/{NOBODY}.json"


def _dump(story: Iterable[Event]) -> bytes:
    return ("[" + ",\n".join(json.dumps(list(event)) for event in story) + "]\n").encode()


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0
