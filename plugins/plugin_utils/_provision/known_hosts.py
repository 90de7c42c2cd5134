# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""Whether the controller's known_hosts holds the host keys that a machine told the server, and what to do about it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

_SSH_PORT = "22"
#: Who names one of these as the file wants to keep none (ssh_config(5), UserKnownHostsFile).
_NOWHERE = ("none", os.devnull)


def place(said: str) -> dict[str, Any]:
    """Return where ssh looks for a host's keys: C(name), C(file), C(is_kept), whether that is a file, and C(hashes).

    >>> place("hostname nuc1\\nport 2222\\nuserknownhostsfile /root/.ssh/known_hosts /etc/other\\nhashknownhosts yes")
    {'name': '[nuc1]:2222', 'file': '/root/.ssh/known_hosts', 'is_kept': True, 'hashes': True}

    :param said: what C(ssh -G HOST) prints, a setting a line (ssh(1)).
    """
    told = dict(line.split(" ", 1) for line in said.splitlines() if " " in line)
    alias, host, port = told.get("hostkeyalias", ""), told.get("hostname", ""), told.get("port", _SSH_PORT)
    file = (told.get("userknownhostsfile", "none").split() or ["none"])[0]
    return {
        "name": alias or (host if port == _SSH_PORT else f"[{host}]:{port}"),
        "file": os.path.expanduser(file),
        "is_kept": file not in _NOWHERE,
        "hashes": told.get("hashknownhosts") == "yes",
    }


def changes(found: str, told: Sequence[str], name: str, *, is_new: bool) -> dict[str, Any]:
    """Return C(remove), whether all keys of the host go first; C(add), those to be added; and C(fault), what is wrong.

    >>> changes("", ["ssh-ed25519 AAAA"], "192.168.1.21", is_new=False)
    {'remove': False, 'add': ['ssh-ed25519 AAAA'], 'fault': ''}

    :param found: what C(ssh-keygen -F NAME) prints of the file (ssh-keygen(1)); lines as in sshd(8), SSH_KNOWN_HOSTS.
    :param told: the machine's keys, each type and Base64.
    :param name: by which ssh looks for the host.
    :param is_new: whether the machine was installed in this run, so that it may have other keys than before.
    """
    known = list(_keys(found.splitlines()))
    if not told:
        fault = (
            f"it told the server no SSH host key, and known_hosts has none for {name}" if not known else ""
        )
        return {"remove": False, "add": [], "fault": fault}
    of_type = dict(key.split(" ", 1) for key in told)
    other = [key for key in known if key.split(" ", 1)[0] in of_type and key not in told]
    if other and not is_new:
        kinds = ", ".join(sorted(key.split(" ", 1)[0] for key in other))
        fault = (
            f"its SSH host key ({kinds}) is not the one that known_hosts has for {name}, and it was not installed in"
            f" this run. If you know why, run: ssh-keygen -R '{name}'"
        )
        return {"remove": False, "add": [], "fault": fault}
    rest = [] if other else known
    return {"remove": bool(other), "add": [key for key in told if key not in rest], "fault": ""}


def _keys(lines: Iterable[str]) -> Iterator[str]:
    """Yield type and Base64 of the keys; lines with a marker are of authorities, or revoke a key."""
    for line in lines:
        words = line.split()
        if len(words) > 2 and line[0] not in "#@":  # noqa: PLR2004 - names, type, key
            yield " ".join(words[1:3])
