# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""The files that cloud-init fetches from its seed, with Subiquity's autoinstall inside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import yaml
from ansible_collections.homelab.netboot.plugins.plugin_utils._faults import InputError
from ansible_collections.homelab.netboot.plugins.plugin_utils._plain import overlay, plain

#: cloud-init asks for all four; each one that is missing costs ten seconds or the installation.
NAMES = ("user-data", "meta-data", "vendor-data", "network-config")


def files(machines: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return the folder of seeds: C(NAME/user-data) and so on → content, for every machine to be installed.

    :param machines: as the filter P(homelab.netboot.machines#filter) returns them.
    :raises InputError: when nobody could log in to a machine after its installation.
    """
    plan = {}
    faults = []
    for machine in machines:
        if machine["install"] == "never":
            continue
        autoinstall = _autoinstall(machine)
        if not _has_login(autoinstall):
            faults.append(
                f"machine {machine['name']}: netboot_ssh_keys: nobody could log in after the installation; "
                "give at least one public key, or netboot_password_hash"
            )
        contents = (
            "#cloud-config\n" + _yaml({"autoinstall": autoinstall}),
            _yaml({"instance-id": machine["name"]}),
            # Empty answers cost nothing; a 404 would be asked for again, for ten seconds.
            "",
            "",
        )
        plan.update({f"{machine['name']}/{name}": text for name, text in zip(NAMES, contents, strict=True)})
    if faults:
        raise InputError("The installations are not usable", faults)
    return plan


def _autoinstall(machine: Mapping[str, Any]) -> dict[str, Any]:
    """Return what Subiquity is told: a host name and a user who can log in, and over it what the inventory says."""
    given = machine["autoinstall"]
    base: dict[str, Any] = {"version": 1, "ssh": {"install-server": True, "allow-pw": False}}
    if "identity" in given:
        # Subiquity then makes the user itself, and lets the keys of ssh in.
        base["ssh"]["authorized-keys"] = machine["ssh_keys"]
    else:
        base["user-data"] = {"hostname": machine["name"], "users": [_user(machine)]}
    return overlay(base, given)


def _user(machine: Mapping[str, Any]) -> dict[str, Any]:
    """Return the user, as cloud-init's module "Users and Groups" describes it."""
    user = {
        "name": machine["user"],
        "groups": ["adm", "sudo"],
        "shell": "/bin/bash",
        "ssh_authorized_keys": machine["ssh_keys"],
    }
    if machine["password_hash"]:
        return {**user, "lock_passwd": False, "passwd": machine["password_hash"]}
    # Who has no password could never answer sudo's question for it.
    return {**user, "lock_passwd": True, "sudo": "ALL=(ALL) NOPASSWD:ALL"}


def _has_login(autoinstall: Mapping[str, Any]) -> bool:
    if autoinstall.get("identity", {}).get("password") or autoinstall["ssh"].get("authorized-keys"):
        return True
    users = autoinstall.get("user-data", {}).get("users", [])
    return any(
        isinstance(user, dict)
        and any(user.get(key) for key in ("ssh_authorized_keys", "ssh_import_id", "passwd", "hashed_passwd"))
        for user in users
    )


def _yaml(value: Any) -> str:
    return yaml.safe_dump(plain(value), sort_keys=False, allow_unicode=True, width=1000)
