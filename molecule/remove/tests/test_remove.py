# SPDX-License-Identifier: GPL-3.0-or-later
"""What the host was before site.yml it is again after homelab.netboot.remove, file by file."""

from __future__ import annotations

import json
import re
from typing import Any

#: What differs all the same, and why.
REASONS = {
    r"/var/lib/apt/.*|/var/cache/(apt|debconf|ldconfig)/.*": "what apt knows of packages",
    r"/var/lib/dpkg/.*": "dpkg's own books: the order of packages, what it asked, backups; the packages are compared",
    r"/var/log/(apt/.*|dpkg\.log|alternatives\.log|journal/.*|[bw]tmp|lastlog|faillog)": "what the host writes down",
    r"/etc/(passwd|group|shadow|gshadow|subuid|subgid)-?": "Debian leaves the user of dnsmasq",
}


def changed(host: Any) -> dict[str, str]:
    """Path → what happened to it."""
    before = json.loads(host.check_output("cat /var/tmp/before.json"))
    after = json.loads(host.check_output("python3 /var/tmp/tree.py"))
    found = dict.fromkeys(set(before) - set(after), "is gone")
    found.update(dict.fromkeys(set(after) - set(before), "is new"))
    found.update({path: "is another" for path in set(before) & set(after) if before[path] != after[path]})
    return found


def test_the_tree_is_as_before(host: Any) -> None:
    kept = "|".join(f"(?:{reason})" for reason in REASONS)
    differences = {path: what for path, what in changed(host).items() if not re.fullmatch(kept, path)}
    assert differences == {}


def test_every_reason_is_one(host: Any) -> None:
    paths = list(changed(host))
    unused = [reason for reason in REASONS if not any(re.fullmatch(reason, path) for path in paths)]
    assert len(paths) > 10
    assert unused == []


def test_the_packages_are_as_before(host: Any) -> None:
    for name in ("nginx", "dnsmasq-base", "pxelinux", "syslinux-common", "python3-pycdlib"):
        assert not host.package(name).is_installed, name


def test_nothing_of_ours_runs_or_is_known_to_systemd(host: Any) -> None:
    assert host.run("systemctl list-unit-files 'netboot*' --no-legend").stdout == ""
    assert host.run("systemctl list-units --all 'netboot*' --no-legend").stdout == ""
    assert host.run("ss -H -lntu | grep -E ':(67|69|80|4011) '").rc != 0
