# SPDX-License-Identifier: GPL-3.0-or-later
"""What the test of check mode reads: all of a server that could be touched, and what ansible-playbook has said."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import Any

from tests.lab.server import DISKS

#: What must never be shown.
PASSWORD = "$6$check$" + "x" * 86
#: Changes with every login, run of Python or minute, whoever does what: logs, systemd's books, Ansible's own folder,
#: and what machines did and what is shown of that, which timers read and write whenever they come.
VOLATILE = re.compile(
    r"/(tmp|var/tmp|var/log|var/lib/systemd|var/spool/cron|root/\.ansible|root/\.cache)(/|$)|/__pycache__(/|$)"
    r"|^/var/lib/netboot/(\.netboot-|events(/|$)|(counts|doctor|shown|metrics)\.)|^/srv/netboot/http/status(/|$)"
)
#: Units that come and go by themselves, or with a login.
PASSING = re.compile(r"user|session|systemd-|apt-|dpkg-|e2scrub|fstrim|logrotate|ssh@")


@dataclass(frozen=True)
class Snapshot:
    """A server at one moment. `files`: path → type, mode, owner, and what every write changes; `lists`: all else."""

    files: dict[str, str]
    lists: str

    @classmethod
    def of(cls, host: Any) -> Snapshot:
        """Look at it. Of folders no times: what comes and goes in them is a line of its own."""
        found = host.check_output(
            f"find / {' '.join(DISKS)} -xdev "
            r"\( -type d -printf '%p\t%M %u %g\n' -o -printf '%p\t%M %u %g %i %C@ %s %l\n' \)"
        )
        pairs = (line.split("\t", 1) for line in found.splitlines())
        units = host.check_output(
            "systemctl list-units --type=service,socket,timer,path --plain --no-legend --state=active"
        )
        active = [line.split()[0] for line in units.splitlines()]
        lists = [
            host.check_output("dpkg-query -W -f '${Package} ${Version} ${Status}\n'"),
            host.check_output("systemctl list-unit-files --state=enabled --no-legend"),
            *(f"{unit} runs" for unit in active if not PASSING.match(unit)),
        ]
        return cls(
            {path: rest for path, rest in pairs if not VOLATILE.search(path)}, "\n".join(map(str, lists))
        )

    def changed_since(self, before: Snapshot, below: tuple[str, ...]) -> set[str]:
        """The files, not folders, below some places that came, changed or went."""
        paths = {*self.files.items()} ^ {*before.files.items()}
        return {path for path, rest in paths if path.startswith(below) and not rest.startswith("d")}

    def differences(self, before: Snapshot) -> list[str]:
        """Everything that is different, as lines of a diff."""
        old, new = (
            [f"{path} {rest}" for path, rest in sorted(one.files.items())] + one.lists.splitlines()
            for one in (before, self)
        )
        return list(difflib.unified_diff(old, new, "before", "after", lineterm="", n=0))


def shown(said: str) -> dict[str, list[str]]:
    """The files that the diffs name → their new lines.

    file_set and others name a file in a diff's head, ansible.builtin.file in its text. Of some file_set tells only the
    name and what becomes of it, as Ansible does of its own: in brackets.
    """
    found: dict[str, list[str]] = {}
    lines: list[str] | None = None  # of the file whose diff it is; None outside of all diffs
    for line in said.splitlines():
        if head := re.match(r"\+\+\+ after(?:: (/\S+))?$", line):
            lines = found.setdefault(head[1], []) if head[1] else []
        elif named := re.match(r"(/\S+): (created|changed|removed|attributes changed)$", line):
            found.setdefault(named[1], []).append(f"({named[2]})")
        elif not line:
            lines = None
        elif lines is not None and (named := re.match(r' +"?path"?: "?(/[^",]+)"?,?$', line)):
            found.setdefault(named[1], lines)
        elif lines is not None and line.startswith("+"):
            lines.append(line[1:])
    return found


def results(said: str) -> dict[str, int]:
    """Task → number of its results; a loop has one for each item."""
    count: dict[str, int] = {}
    task = ""
    for line in said.splitlines():
        if begins := re.match(r"(?:TASK|RUNNING HANDLER) \[(.*)\] \**$", line):
            task = begins[1]
        elif re.match(r"(ok|changed|skipping|included): ", line):
            count[task] = count.get(task, 0) + 1
    return count
