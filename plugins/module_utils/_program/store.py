# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""The state folder: what the program remembers of each machine, by its MAC address."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import time
from typing import Any, Callable, Iterable, Mapping

from . import states
from .events import changes
from .files import FileSet, read, remove_leftovers
from .states import Machine, Now, State

STATES = "machines"
SERVED, KNOWN, COUNTS = "served.json", "known.json", "counts.json"
#: What is counted: installations that ended, by the word of the report; and what was thrown away.
REFUSED = "refused"


class Store:
    """Only who holds the lock of `Server` may change it.

    folder: the state folder. say: is told when a file is damaged.
    """

    def __init__(self, folder: str, say: Callable[[str], None], now: Callable[[], Now]) -> None:
        self.folder, self.say, self.now = folder, say, now
        self._files = FileSet(folder, 0o600, 0o700)

    def state(self, machine: Machine) -> State | None:
        """A machine's state; a damaged file is put aside, and the machine counts as failed.

        OSError when it cannot be read just now.
        """
        try:
            return look(self.folder, machine.mac)
        except ValueError as error:
            aside = self._aside(machine.mac)
            state = states.damaged(machine, self.now(), aside)
            self.save([state])
            self.say(f"{machine.name}: failed: its state file was damaged ({error}); it is kept as {aside}")
            return state

    def _aside(self, mac: str) -> str:
        place = place_of(self.folder, mac)
        aside = place + ".damaged"
        if os.path.isdir(aside) and not os.path.islink(aside):
            shutil.rmtree(aside)
        os.replace(place, aside)
        return aside

    def save(self, new: Iterable[State]) -> None:
        """Write states, all or none."""
        self._files.write({f"{STATES}/{_file(state.mac)}": states.dump(state).encode() for state in new})

    def note(self, new: Iterable[State]) -> None:
        """Note that these states changed, for the machines' stories; one that cannot be noted is no fault."""
        now = time.time()
        with contextlib.suppress(OSError):
            lines = [changes.line(now, one.mac, one.state, one.reason, one.address) for one in new]
            changes.note(self.folder, lines)

    def known(self) -> list[str]:
        """The MAC addresses of machines that have a state, whether they are in the inventory or not."""
        try:
            files = os.listdir(os.path.join(self.folder, STATES))
        except FileNotFoundError:
            return []
        return sorted(file[: -len(".json")].replace("-", ":") for file in files if file.endswith(".json"))

    def history(self) -> set[str]:
        """The MAC addresses of all machines that this server ever had a state of."""
        found = self._json(KNOWN)
        return {mac for mac in found if isinstance(mac, str)} if isinstance(found, list) else set()

    def remember(self, macs: Iterable[str]) -> None:
        """Add machines to the history."""
        self._files.write({KNOWN: _json(sorted(macs))})

    def keep_log(self, name: str, text: str) -> None:
        """Keep what an installation said when it failed, in the place of an earlier one."""
        self._files.write({f"logs/{name}.log": text.encode()})

    def count(self, new: Mapping[str, int]) -> None:
        """Add to what is counted, for the metrics; what cannot be kept is no fault."""
        found = counts(self.folder)
        with contextlib.suppress(OSError):
            self._files.write(
                {COUNTS: _json({key: found.get(key, 0) + new.get(key, 0) for key in {*found, *new}})}
            )

    def listed(self) -> dict[str, str]:
        """The boot entries that may lie below the server's root: path → MAC, or nothing where it is everybody's."""
        found = self._json(SERVED)
        return {
            path: str(mac)
            for path, mac in (found.items() if isinstance(found, dict) else ())
            if ".." not in path.split("/")
        }

    def list(self, entries: Mapping[str, str]) -> None:
        """Remember these boot entries."""
        self._files.write({SERVED: _json(dict(sorted(entries.items())))})

    def sweep(self) -> None:
        """Remove what a run that was killed has left; not in the folders of others, who may write there just now."""
        remove_leftovers(self.folder)
        for own in (STATES, "logs"):
            remove_leftovers(os.path.join(self.folder, own))

    def _json(self, name: str) -> Any:
        return _load(self.folder, name)


def counts(folder: str) -> dict[str, int]:
    """What was counted so far: REFUSED, and the words of reports."""
    found = _load(folder, COUNTS)
    pairs = found.items() if isinstance(found, dict) else ()
    return {str(key): value for key, value in pairs if isinstance(value, int)}


def look(folder: str, mac: str) -> State | None:
    """A machine's state as it is in the state folder; None when it has none.

    DamagedError when it holds no state, OSError when it cannot be read just now.
    """
    place = place_of(folder, mac)
    if os.path.lexists(place) and (os.path.islink(place) or not os.path.isfile(place)):
        raise states.DamagedError("it is no file")
    try:
        text = read(place).decode()
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise states.DamagedError(str(error)) from None
    return states.parse(text)


def _file(mac: str) -> str:
    return mac.replace(":", "-") + ".json"


def place_of(folder: str, mac: str) -> str:
    """Where a machine's state is."""
    return os.path.join(folder, STATES, _file(mac))


def _load(folder: str, name: str) -> Any:
    try:
        return json.loads(read(os.path.join(folder, name)))
    except (OSError, ValueError):
        return None


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=0) + "\n").encode()
