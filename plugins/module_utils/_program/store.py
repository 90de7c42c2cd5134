# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""The state folder: each machine's state, the logs of installations that failed, and which entries were ever served."""

from __future__ import annotations

import json
import os
import shutil
from typing import Callable, Iterable, Mapping

from . import states
from .files import FileSet, read
from .states import Now, State

MACHINES = "machines"
SERVED = "served.json"


class Store:
    """What the program remembers. Only who holds the lock of `Server` may change it.

    folder: the state folder. say: is told when a file is damaged.
    """

    def __init__(self, folder: str, say: Callable[[str], None], now: Callable[[], Now]) -> None:
        self.folder, self.say, self.now = folder, say, now
        self._files = FileSet(folder, 0o600, 0o700)

    def state(self, name: str) -> State | None:
        """A machine's state; a damaged file is put aside, and the machine counts as failed."""
        try:
            return look(self.folder, name)
        except (OSError, ValueError) as error:
            aside = self._aside(name)
            state = states.damaged(self.now(), aside)
            self.save({name: state})
            self.say(f"{name}: failed: its state file was damaged ({error}); it is kept as {aside}")
            return state

    def _aside(self, name: str) -> str:
        place = _place(self.folder, name)
        aside = place + ".damaged"
        if os.path.isdir(aside) and not os.path.islink(aside):
            shutil.rmtree(aside)
        os.replace(place, aside)
        return aside

    def save(self, new: Mapping[str, State]) -> None:
        """Write states, all or none."""
        self._files.write({f"{MACHINES}/{name}.json": states.dump(new[name]).encode() for name in new})

    def known(self) -> list[str]:
        """The machines that have a state, whether they are in the inventory or not."""
        try:
            files = os.listdir(os.path.join(self.folder, MACHINES))
        except FileNotFoundError:
            return []
        return sorted(file[: -len(".json")] for file in files if file.endswith(".json"))

    def keep_log(self, name: str, text: str) -> None:
        """Keep what an installation said when it failed, in the place of an earlier one."""
        self._files.write({f"logs/{name}.log": text.encode()})

    def listed(self) -> set[str]:
        """The boot entries that may lie below the server's root."""
        try:
            found = json.loads(read(os.path.join(self.folder, SERVED)))
            return {path for path in found if isinstance(path, str) and ".." not in path.split("/")}
        except (OSError, ValueError, TypeError):
            return set()

    def list(self, paths: Iterable[str]) -> None:
        """Remember these boot entries."""
        self._files.write({SERVED: (json.dumps(sorted(paths), indent=0) + "\n").encode()})


def look(folder: str, name: str) -> State | None:
    """A machine's state as it is in the state folder; None when it has none. OSError, DamagedError when unreadable."""
    try:
        return states.parse(read(_place(folder, name)).decode())
    except FileNotFoundError:
        return None


def _place(folder: str, name: str) -> str:
    return os.path.join(folder, MACHINES, name + ".json")
