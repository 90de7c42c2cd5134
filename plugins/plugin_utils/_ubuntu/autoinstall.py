# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""What Subiquity is told of one machine: a minimum that works, and over it what the inventory says.

The layers, each over the one before: generated, C(netboot_autoinstall_site), C(netboot_autoinstall_group),
C(netboot_autoinstall). Mappings are merged; lists and all else are replaced.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.homelab.netboot.plugins.module_utils._program.contract import ANY as ANY_MAC
from ansible_collections.homelab.netboot.plugins.plugin_utils._plain import overlay
from ansible_collections.homelab.netboot.plugins.plugin_utils._ubuntu import apt_cache, live, netplan
from ansible_collections.homelab.netboot.plugins.plugin_utils._ubuntu.releases import ANY, Release

#: The module of cloud-init by which an installed system tells its first start.
CALL = "phone_home"
#: Settings of a machine that are layers, from the lowest to the highest.
LAYERS = ("autoinstall_site", "autoinstall_group", "autoinstall")
#: Subiquity's own default, said where something else about storage must be said too (its controller for storage).
DEFAULT_LAYOUT: Mapping[str, Any] = {"name": "lvm"}


def compose(
    machine: Mapping[str, Any], base_url: str = "", release: Release = ANY, *, caches: Sequence[str] = ()
) -> dict[str, Any]:
    """Return the mapping below the key C(autoinstall), as it is served.

    :param machine: as C(machines.normalise) returns it.
    :param base_url: where the server's web server is, without a slash at the end; the machine reports there.
        Without it, the machine does not report.
    :param release: the row of the release to be installed.
    :param caches: roots of the web server at which the machine finds a cache of packages; none where there is no cache.
    """
    return with_own(settings(machine, release), machine, base_url, caches=caches)


def settings(machine: Mapping[str, Any], release: Release = ANY) -> dict[str, Any]:
    """Return it without the commands of our own: what can be wrong, with the user's numbers in lists."""
    given = wanted(machine)
    return _with_storage(overlay(_minimum(machine, given), given), release)


def with_own(
    told: Mapping[str, Any], machine: Mapping[str, Any], base_url: str, *, caches: Sequence[str] = ()
) -> dict[str, Any]:
    """Return it with what is our own: before the user's commands what guards the disks, behind them the report.

    And the steps of the installer go to the server, too. Subiquity does so only without interactive sections. The
    installed system has the host key of the inventory, if there is one, and tells its first start. Where the server has
    a cache of packages, apt goes through it, unless the user has named another proxy.
    """
    name = machine["name"]
    result = dict(told)
    cloud = dict(machine["cloud_config"])
    if base_url and calls_home(machine):
        cloud[CALL] = live.phone_home(name, base_url)
    if cloud:
        result["user-data"] = {**cloud, **told.get("user-data", {})}
    if base_url and not told.get("interactive-sections"):
        result["reporting"] = {**told.get("reporting", {}), **live.reporting(name, base_url)}
    through = bool(caches and base_url and not apt_cache.own_proxy(wanted(machine)))
    if through:
        apt = told.get("apt", {})
        result["apt"] = {**apt, "conf": apt_cache.conf(base_url, caches, apt.get("conf", ""))}
    last = [apt_cache.take_away()] if through and not machine["keep_apt_cache"] else []
    for key, (before, after) in live.commands(base_url, last).items():
        result[key] = [*before, *told.get(key, []), *after]
    return result


def calls_home(machine: Mapping[str, Any]) -> bool:
    """Return whether the server waits for the first start: with its token a machine can be told from all others.

    C(always) arms again, with another token, as soon as the installer has reported; C(any) is more than one machine.
    """
    return bool(machine["install"] != "always" and machine["mac"] != ANY_MAC)


def has_own_call(machine: Mapping[str, Any]) -> bool:
    """Return whether the user's own settings of the installed cloud-init stand in the place of ours."""
    cloud = wanted(machine).get("user-data")
    return isinstance(cloud, Mapping) and CALL in cloud


def wanted(machine: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the inventory says: the layers laid over each other."""
    result: dict[str, Any] = {}
    for layer in LAYERS:
        result = overlay(result, machine[layer])
    return result


def has_config(given: Mapping[str, Any]) -> bool:
    """Return whether it says all of the storage itself."""
    storage = given.get("storage")
    return isinstance(storage, Mapping) and "config" in storage


def _minimum(machine: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a host name and a user who can log in; and what the short settings stand for."""
    base: dict[str, Any] = {"version": 1, "ssh": {"install-server": True, "allow-pw": False}}
    if "identity" in given:
        # Subiquity then makes the user itself, and lets the keys of ssh in.
        base["identity"] = {"hostname": machine["name"], "username": machine["user"]}
        if machine["password_hash"]:
            base["identity"]["password"] = machine["password_hash"]
        base["ssh"].update({"authorized-keys": machine["ssh_keys"]} if machine["ssh_keys"] else {})
    else:
        base["user-data"] = {"hostname": machine["name"], "users": [_user(machine)]}
    if machine["network"] and "network" not in given:
        base["network"] = netplan.netplan(machine["mac"], machine["network"])
    if machine["disk"] and not has_config(given):
        base["storage"] = {"layout": {**DEFAULT_LAYOUT, "match": machine["disk"]}}
    return base


def _user(machine: Mapping[str, Any]) -> dict[str, Any]:
    """Return the user, as cloud-init's module "Users and Groups" describes it."""
    user = {
        "name": machine["user"],
        "groups": ["adm", "sudo"],
        "shell": "/bin/bash",
        # an empty list is one that cloud-init's schema, and with it Subiquity, refuses
        **({"ssh_authorized_keys": machine["ssh_keys"]} if machine["ssh_keys"] else {}),
    }
    if machine["password_hash"]:
        return {**user, "lock_passwd": False, "passwd": machine["password_hash"]}
    # Who has no password could never answer sudo's question for it.
    return {**user, "lock_passwd": True, "sudo": "ALL=(ALL) NOPASSWD:ALL"}


def _with_storage(told: dict[str, Any], release: Release) -> dict[str, Any]:
    """Return it with what the release needs; whoever says something of storage must say a layout or a config too."""
    storage = told.get("storage", {})
    if not isinstance(storage, Mapping):
        return told
    if release.reorder_uefi is not None:
        storage = overlay({"grub": {"reorder_uefi": release.reorder_uefi}}, storage)
    if storage and not storage.keys() & {"layout", "config"}:
        storage = {"layout": dict(DEFAULT_LAYOUT), **storage}
    return {**told, "storage": storage} if storage else told
