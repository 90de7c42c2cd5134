# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""What is carried into the installer's live system: three programs, their settings, and the commands that start them.

cloud-init writes the files there, since what stands beside C(autoinstall) in user-data is for the live system
(Subiquity's documentation, "Cloud-init and autoinstall interaction"; C(write-files) is among the modules that its
C(/etc/cloud/cloud.cfg) names). So the commands are short: Subiquity prints each three times on the machine's console.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.homelab.netboot.plugins.module_utils._program.contract import (
    BEGUN,
    FAILED,
    INSTALLED,
    PROGRAM,
    RECEIPT,
    REPORTER,
    UP,
    WIPE,
    program_mark,
    progress_address,
    report_address,
    seed_address,
)

#: A folder of the live system, in memory.
FOLDER = "/run/netboot"
#: Seconds in which the server must have noted that the installation begins; it tries again itself after ten.
PATIENCE = 90

_PROGRAMS = Path(__file__).parent / "programs"


def files(machine: Mapping[str, Any], base_url: str = "") -> list[dict[str, str]]:
    """Return the files, as cloud-init's C(write_files) takes them; for the text of each of L(programs), its mark.

    :param machine: settings as the filter P(homelab.netboot.machines#filter) returns them.
    :param base_url: the server's HTTP root, without a slash at the end; without it, no server is told.
    """
    names = ["begin", "guard", "report"] if base_url else ["guard"]
    # the token is in it: nobody but root reads it
    written = [_file("settings.json", _settings(machine, base_url), "0600")]
    return written + [_file(f"{name}.py", program_mark(f"{name}.py")) for name in names]


def programs() -> dict[str, str]:
    """Return the programs in the plan, path → text."""
    return {
        f"{PROGRAM}/{name}.py": (_PROGRAMS / f"{name}.py").read_text(encoding="utf-8")
        for name in ("begin", "guard", "report")
    }


def commands(base_url: str = "", last: Sequence[str] = ()) -> dict[str, tuple[list[str], list[str]]]:
    """Return by section of the installer's settings the commands before and behind the user's own.

    Before all others: the server's receipt, and a look at the machine. Behind all others: how it ended.

    :param base_url: the server's HTTP root; without it, no server is told.
    :param last: what else is done behind the user's late-commands.
    """
    guard = [_command("guard")]
    if not base_url:
        return {"early-commands": (guard, [])}
    return {
        "early-commands": ([_command("begin"), *guard], []),
        # an installation that has ended must not fail because of its report
        "late-commands": ([], [*last, _command("report", "installed") + " || true"]),
        "error-commands": ([], [_command("report", "failed") + " || true"]),
    }


def reporting(name: str, base_url: str) -> dict[str, dict[str, str]]:
    """Return what has the installer tell the server each of its steps, for the section C(reporting).

    curtin sends each as JSON by POST, before it goes on (canonical/curtin: curtin/reporter/handlers.py, events.py).
    An error is a line in its log and no more; there are no tries and no time limit, so the server must answer at once.
    """
    return {REPORTER: {"type": "webhook", "endpoint": progress_address(base_url, name)}}


def phone_home(name: str, base_url: str) -> dict[str, Any]:
    """Return what has the installed system tell the server its SSH host keys when it has started for the first time.

    For the section C(user-data), which Subiquity lays over its own settings of the installed cloud-init, whether there
    is an C(identity) or not (canonical/subiquity: models/subiquity.py, _cloud_init_config). The module runs once, near
    the end of the last stage; ten tries, three seconds between two of them (canonical/cloud-init:
    cloudinit/config/cc_phone_home.py). For a key that is not there it sends "N/A", and warns, as where there is
    only the one of C(netboot_host_keys=controller); cloud-init 20.1, of 20.04's first ISOs, knows no ed25519 there.
    """
    keys = ["pub_key_rsa", "pub_key_ecdsa", "pub_key_ed25519"]
    return {"url": report_address(base_url, name, UP), "post": keys, "tries": 10}


def _settings(machine: Mapping[str, Any], base_url: str) -> str:
    """Return what the programs must know of this machine."""
    name = machine["name"]
    settings = {
        "name": name,
        "wipe": WIPE,
        "label": str(machine["protect_label"]),
        "expect": machine["expect"],
    }
    if base_url:
        settings |= {
            "begun": report_address(base_url, name, BEGUN),
            "receipt": seed_address(base_url, name) + RECEIPT,
            "patience": PATIENCE,
            "installed": report_address(base_url, name, INSTALLED),
            "failed": report_address(base_url, name, FAILED),
        }
    return json.dumps(settings, indent=2) + "\n"


def _file(name: str, content: str, permissions: str = "0644") -> dict[str, str]:
    return {"path": f"{FOLDER}/{name}", "permissions": permissions, "content": content}


def _command(*words: str) -> str:
    # -I: what Subiquity's snap sets for a Python of its own is not meant for this one
    return f"python3 -I {FOLDER}/{words[0]}.py {' '.join(words[1:])}".strip()
