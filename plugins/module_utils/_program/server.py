# SPDX-License-Identifier: GPL-3.0-or-later
"""The one place that acts: reads plan and states, changes states, and makes what is served follow them."""

from __future__ import annotations

import contextlib
import fcntl
import grp
import json
import os
import re
import secrets
import shutil
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Callable, Iterable

from . import plan as plans
from . import states
from .files import Writer, leftovers, read
from .states import Machine, Now, State

# What nginx lets through (role pxe_http), and no more: NAME.TOKEN for a fetch, NAME.TOKEN.WORD for a report.
_FETCHED = re.compile(r"(?P<name>[A-Za-z0-9.-]+)\.(?P<token>[0-9a-f]{32})")
_REPORT = re.compile(_FETCHED.pattern + r"\.(?P<word>installed|failed)")
LOG_BYTES = 1 << 16


@dataclass(frozen=True)
class Settings:
    """Where everything is. root: what is served; state: plan, states, logs; spool: what nginx puts down for us.

    group: the web server's. hours: how long user-data is handed out after it was first fetched.
    """

    root: str = "/srv/netboot"
    state: str = "/var/lib/netboot"
    spool: str = "/var/spool/netboot"
    group: str = "www-data"
    hours: float = 4.0

    @classmethod
    def load(cls, path: str) -> Settings:
        """Read a JSON file; what it leaves out is as above."""
        with open(path, encoding="utf-8") as file:
            return cls(**json.load(file))


def clock() -> Now:
    """This moment."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        boot = file.read().strip()
    wall = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return Now(wall, boot, time.clock_gettime(time.CLOCK_BOOTTIME))


class Server:
    """Plan, states and served files, under a lock from `with` to its end: nothing else changes them meanwhile.

    say: is told each thing that happened, for the journal. Never a token.
    """

    def __init__(
        self, settings: Settings, say: Callable[[str], None], now: Callable[[], Now] = clock
    ) -> None:
        self.settings, self.say, self.now = settings, say, now
        self.changed = 0

    def __enter__(self) -> Server:
        at = self.settings
        self._lock = os.open(os.path.join(at.state, "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self.plan = plans.load(os.path.join(at.state, "plan"))
        self.entries = Writer(at.root, 0o644, 0o755)
        self.seeds = Writer(at.root, 0o640, 0o750, grp.getgrnam(at.group).gr_gid)
        self.kept = Writer(at.state, 0o600, 0o700)
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        os.close(self._lock)

    # --- states

    def state(self, name: str) -> State | None:
        """A machine's state; a damaged file is put aside, and the machine counts as failed."""
        place = os.path.join(self.settings.state, "machines", name + ".json")
        try:
            return states.parse(read(place).decode())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            aside = place + ".damaged"
            if os.path.isdir(aside) and not os.path.islink(aside):
                shutil.rmtree(aside)
            os.replace(place, aside)
            state = states.damaged(self.now(), aside)
            self.save(name, state)
            self.say(f"{name}: failed: its state file was damaged ({error}); it is kept as {aside}")
            return state

    def save(self, name: str, state: State) -> None:
        """Write a state."""
        self.kept.write({f"machines/{name}.json": states.dump(state).encode()})

    def known(self) -> list[str]:
        """The machines that have a state, whether they are in the inventory or not."""
        try:
            files = os.listdir(os.path.join(self.settings.state, "machines"))
        except FileNotFoundError:
            return []
        return sorted(file[: -len(".json")] for file in files if file.endswith(".json"))

    def change(self, name: str, before: State | None, after: State) -> None:
        """Change a state and, with it, what is served.

        Whatever is cut off in between is on the safe side, and done again by who caused it or at the next start:
        a machine becomes armed by its state first; for every other state its boot entry goes first.
        """
        if after == before:
            return
        if after.state == "armed":
            self.save(name, after)
            self.serve(name, after)
        else:
            self.serve(name, after)
            self.save(name, after)
        if before is None or before.state != after.state:
            self.say(f"{name}: {after.state}" + (f": {after.reason}" if after.reason else ""))

    def serve(self, name: str, state: State | None) -> None:
        """Make what is served for one machine follow its state: seeds before the entries that lead to them."""
        known = name in self.plan.machines
        seeds = plans.seeds_of(self.plan, name, state) if known else {}
        folder = os.path.join(self.settings.root, plans.SEEDS, name)
        there = {f"{plans.SEEDS}/{name}/{path}" for path in plans.walk(folder)}
        if state is not None and state.state == "installing":
            # the installer that runs goes on with what it has begun with
            seeds = {path: text for path, text in seeds.items() if path not in there}
            there -= {path for path in there if path.split("/")[-2] == state.token} if known else set()
        self.changed += len(self.seeds.write(seeds))
        if known:
            wanted = plans.of_machine(self.plan, name, state)
            self.changed += len(
                self.entries.write({p: text for p, text in wanted.items() if text is not None})
            )
            self.changed += len(self.entries.remove(path for path, text in wanted.items() if text is None))
        self.changed += len(self.seeds.remove(there - set(seeds)))

    # --- what the commands do

    def publish(self) -> None:
        """Bring states and served files in line with the plan."""
        self.drain()
        self.entries.folder("http")  # for all to read, unlike those of seeds
        now, plan = self.now(), self.plan
        found: dict[str, State | None] = {name: self.state(name) for name in plan.machines}
        new: dict[str, State] = {}
        for name, machine in plan.machines.items():
            after = states.published(found[name], machine, now, new_token())
            missing = plans.lacks(plan, name) if after.state == "armed" and after != found[name] else []
            if missing:
                self.say(f"{name}: not armed, since the plan has no {', '.join(missing)} for it")
            elif after != found[name]:
                new[name] = after
        for name in set(self.known()) - set(plan.machines):
            before = self.state(name)
            if before is not None and states.left(before, now) != before:
                new[name] = states.left(before, now)
        # as in `change`, but for all at once: what is armed first by its state, all else by what is served
        self.kept.write(_files({n: s for n, s in new.items() if s.state == "armed"}))
        self._serve_all({**found, **new})
        self.kept.write(_files({n: s for n, s in new.items() if s.state != "armed"}))
        self.changed += len(new)
        for name, state in new.items():
            self.say(f"{name}: {state.state}: {state.reason}")

    def _serve_all(self, found: dict[str, State | None]) -> None:
        plan, top = self.plan, self.settings.root
        wanted: dict[str, bytes] = dict(plan.static)
        seeds: dict[str, bytes] = {}
        old = set(plans.walk(os.path.join(top, plans.SEEDS)))
        paths = set(wanted)
        for name in plan.machines:
            state = found[name]
            for path, text in plans.of_machine(plan, name, state).items():
                paths.add(path)
                # `static` gives way to a machine that is armed
                if text is not None and (
                    path not in plan.static or (state is not None and state.state == "armed")
                ):
                    wanted[path] = text
            mine = plans.seeds_of(plan, name, state)
            begun = state is not None and state.state == "installing"
            for path, text in mine.items():
                relative = path[len(plans.SEEDS) + 1 :]
                if begun and relative in old:
                    old.discard(relative)
                else:
                    seeds[path] = text
        self.changed += len(self.seeds.write(seeds))
        listed = self._served_before()
        self.kept.write({"served.json": _listing(listed | paths)})  # before the files: none is ever forgotten
        self.changed += len(self.entries.write(wanted))
        self.changed += len(self.entries.remove(sorted(listed - set(wanted))))
        self.kept.write({"served.json": _listing(set(wanted))})
        self.changed += len(self.seeds.remove({f"{plans.SEEDS}/{path}" for path in old} - set(seeds)))
        folders = {os.path.dirname(path) for path in [*paths, *listed]} | {plans.SEEDS}
        for folder in folders:
            place = os.path.join(top, folder)
            for path in leftovers(place) if folder == plans.SEEDS else _leftovers_in(place):
                with contextlib.suppress(OSError):
                    os.unlink(os.path.join(place, path))

    def _served_before(self) -> set[str]:
        """The boot entries that were ever written and not yet removed."""
        try:
            listed = json.loads(read(os.path.join(self.settings.state, "served.json")))
        except (OSError, ValueError):
            return set()
        return {path for path in listed if isinstance(path, str) and ".." not in path.split("/")}

    def arm(self, names: Iterable[str]) -> None:
        """Arm machines, all or none; each gets a new token. RefusedError when one cannot be armed."""
        self.drain()
        names = list(names)
        self._must_be_known(names)
        faults = []
        for name in names:
            missing = plans.lacks(self.plan, name)
            if self.plan.machines[name].install == "never":
                faults.append(
                    f"{name}: netboot_install is never; change it to once, run homelab.netboot.site, arm it"
                )
            elif missing:
                faults.append(
                    f"{name}: the plan has no {', '.join(missing)}; run the playbook homelab.netboot.site"
                )
        if faults:
            raise RefusedError("nothing was armed:\n" + "\n".join(faults))
        for name in names:
            before = self.state(name)
            self.change(name, before, states.armed(self.now(), new_token(), "armed by hand"))
            self.changed += 1

    def disarm(self, names: Iterable[str]) -> None:
        """Let machines boot their disk. What runs already goes on, but finds no user-data any more."""
        self.drain()
        names = list(names)
        self._must_be_known(names)
        for name in names:
            before = self.state(name)
            after = states.disarmed(before, self.now())
            if before is None or after != before:
                self.change(name, before, after)
                self.changed += 1

    def _must_be_known(self, names: Iterable[str]) -> None:
        unknown = sorted(set(names) - set(self.plan.machines))
        if unknown:
            known = (
                ", ".join(sorted(self.plan.machines)[:20]) or "none: run the playbook homelab.netboot.site"
            )
            raise RefusedError(
                f"nothing was changed: no such machine: {', '.join(unknown)}; known are {known}"
            )

    def expire(self) -> None:
        """Let time go by: user-data that was handed out long ago is not any more."""
        self.drain()
        for name in self.known():
            before = self.state(name)
            if before is not None:
                self.change(name, before, states.expired(before, self.now(), self.settings.hours * 3600))

    def drain(self) -> None:
        """Take what nginx has put down: who fetched user-data, and reports. Every file goes, whatever is in it."""
        for place, file in _spooled(self.settings.spool, "fetched"):
            found = _FETCHED.fullmatch(file)
            if found and found["name"] in self.plan.machines:
                name, before = found["name"], self.state(found["name"])
                if before is not None:
                    after = states.fetched(before, self.plan.machines[name], found["token"], self.now())
                    self.change(name, before, after)
            os.unlink(place)
        for place, file in _spooled(self.settings.spool, "reports"):
            found = _REPORT.fullmatch(file)
            if found:
                self._report(place, found["name"], found["token"], found["word"])
            else:
                self.say(f"a report with a strange name ({len(file)} characters) was thrown away")
            os.unlink(place)

    def _report(self, place: str, name: str, token: str, word: str) -> None:
        before = self.state(name) if plans.NAME.fullmatch(name) and name in self._all() else None
        if before is None or not states.is_token(before, token):
            which = name if before is not None else "a machine that is not known"
            self.say(f"{which}: a report {word!r} with a wrong or old token was thrown away")
            return
        machine = self.plan.machines.get(name) or Machine(name, "")
        reason = ""
        if word == "failed":
            try:
                text = read(place, LOG_BYTES).decode("utf-8", "replace")
            except OSError as error:
                text = f"(its log cannot be read: {error})"
            reason = printable(text.split("\n", 1)[0])[:300] or "the installer failed"
            self.kept.write({f"logs/{name}.log": text.encode()})
        after = states.reported(before, machine, word, reason, now=self.now(), token=new_token())
        self.change(name, before, after)

    def _all(self) -> set[str]:
        return {*self.plan.machines, *self.known()}


class RefusedError(Exception):
    """What was asked for cannot be done; the message says why and what to do."""


def new_token() -> str:
    """A one-time token: 128 random bits."""
    return secrets.token_hex(16)


def printable(text: str) -> str:
    """A line for a table or the journal: no control characters, however it came here."""
    return "".join(c if c.isprintable() else " " for c in text).strip()


def _files(new: dict[str, State]) -> dict[str, bytes]:
    return {f"machines/{name}.json": states.dump(state).encode() for name, state in new.items()}


def _listing(paths: set[str]) -> bytes:
    return (json.dumps(sorted(paths), indent=0) + "\n").encode()


def _spooled(spool: str, kind: str) -> list[tuple[str, str]]:
    """What lies in a folder of the spool, oldest first: (place, name)."""
    try:
        with os.scandir(os.path.join(spool, kind)) as items:
            found = sorted(
                (item.stat(follow_symlinks=False).st_mtime, item.path, item.name)
                for item in items
                if not item.is_dir(follow_symlinks=False)
            )
    except FileNotFoundError:
        return []
    return [(path, name) for dummy, path, name in found]


def _leftovers_in(folder: str) -> list[str]:
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    return [name for name in names if name.startswith(".netboot-") and name.endswith(".part")]
