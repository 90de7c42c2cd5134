# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""Machines: what the inventory says of each, checked all together."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.homelab.netboot.plugins.module_utils._program.contract import (
    ANY,
    INSTALLS,
    WIPES,
    is_host_name,
)
from ansible_collections.homelab.netboot.plugins.plugin_utils import _mac, _memory
from ansible_collections.homelab.netboot.plugins.plugin_utils._faults import InputError, suggest
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory import (
    carried,
    expectations,
    host_keys,
    kernel_args,
    loaders,
    logins,
    networks,
    offline,
    power,
    quirks,
    static_address,
)
from ansible_collections.homelab.netboot.plugins.plugin_utils._plain import plain
from ansible_collections.homelab.netboot.plugins.plugin_utils._ubuntu import system

PREFIX = "netboot_"
#: Settings that belong to the server, and are seen on machines too when they stand in group_vars/all.
SHARED = frozenset(
    {
        "address",
        "apt_cache",
        "cache_address",
        "caches",
        "efi_pair",
        "firewall",
        "group",
        "http_port",
        "images",
    }
    | {
        "interface",
        "machines",
        "networks",
        "result",
        "root",
        "servers",
        "spool",
        "state",
        "status_page",
        "strangers",
        "uefi",
    }
)
#: What inventory plugin homelab.netboot.machines says of a machine.
TOLD = frozenset({"told"})
DEFAULTS: Mapping[str, Any] = {
    "mac": None,
    "server": None,
    "network_name": "",
    "image": None,
    "install": "once",
    "wipe": "blank",
    "quirks": [],
    "secure_boot_ca": "auto",
    "menu": [],
    "kernel_args": [],
    "memory": None,
    "user": "ubuntu",
    "password_hash": "",
    "ssh_keys": [],
    "host_keys": host_keys.MACHINE,
    "ssh_host_key": "",
    "disk": {},
    "network": {},
    "autoinstall_site": {},
    "autoinstall_group": {},
    "autoinstall": {},
    "expect": {},
    "protect_label": "KEEP",
    "keep_apt_cache": False,
    "power": {},
}
#: What the image adds: C(release) (None while it is not known) and C(folder), where its files are below the roots; and
#: C(image_kernel_args). C(loader): as L(loaders.asked) returns it. C(host_key): the public one of C(ssh_host_key);
#: C(cloud_config): what the installed system's cloud-init is told of it.
DERIVED = ("release", "folder", "image_kernel_args", "loader", "host_key", "cloud_config")
#: What belongs to a machine and is no setting of this collection; it stands without the prefix.
FOREIGN = ("name", "ansible_host")
_MAPPING = (dict, "a mapping, as Subiquity's documentation describes it")
CHOICES = {
    "install": INSTALLS,
    "wipe": WIPES,
    "secure_boot_ca": loaders.CHOICES,
    "host_keys": host_keys.CHOICES,
}
#: Settings that are lists of words, with the words that there are.
WORDS: Mapping[str, Collection[str]] = {"quirks": quirks.QUIRKS, "menu": ("rescue",)}
_TYPES: Mapping[str, tuple[type, str]] = {
    "disk": (dict, "a mapping such as {serial: 50026B72823D1475}"),
    "network": (dict, "a mapping such as {address: 192.168.1.32/24, gateway: 192.168.1.1}"),
    "keep_apt_cache": (bool, "true or false"),
    "autoinstall_site": _MAPPING,
    "autoinstall_group": _MAPPING,
    "autoinstall": _MAPPING,
}


def from_inventory(names: Iterable[Any], hostvars: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the settings of machines as they stand in the inventory, without the prefix C(netboot_).

    :param names: inventory host names; or mappings, which are settings already and pass unchanged; or L(carried)'s
        text.
    :param hostvars: Ansible's variable of that name.
    :raises InputError: when it is none of these.
    """
    raw = []
    for entry in carried.entries(names):
        if isinstance(entry, Mapping):
            raw.append(dict(entry))
            continue
        variables = hostvars[entry]
        keys = [key for key in variables if key.startswith(PREFIX)]
        settings = {key[len(PREFIX) :]: variables[key] for key in keys}
        settings = {key: value for key, value in settings.items() if key not in SHARED | TOLD}
        foreign = {key: variables[key] for key in FOREIGN if key in variables}
        raw.append({**foreign, "name": entry, **settings})
    return raw


def normalise(
    raw: Iterable[Mapping[str, Any]],
    images: Mapping[str, Any] | None = None,
    there: Sequence[Mapping[str, Any]] = (),
) -> list[dict[str, Any]]:
    """Return every machine with all its settings and what L(DERIVED) names, in plain types, checked.

    :param raw: one mapping a machine: C(name), C(mac) and any of the settings in L(DEFAULTS); perhaps C(ansible_host).
    :param images: the images that exist, with what the server knows of each (C(release), C(folder), C(sizes));
        None checks no image. The only one there is, is everyone's default.
    :param there: the server's networks, C(netboot_result.networks); without any, no machine's is checked.
    :raises InputError: with every fault of every machine, each with its name, the variable and the remedy.
    """
    machines = [{**DEFAULTS, **plain(entry)} for entry in raw]
    faults = [fault for machine in machines for fault in _complete(machine, images)]
    faults += networks.machine_faults(machines, there) + _doubled(machines)
    if faults:
        raise InputError("The machines are not usable", faults)
    for machine in machines:
        machine["power"] = {}  # its password is for the controller alone, and all else goes to the server
    return machines


def _complete(machine: dict[str, Any], images: Mapping[str, Any] | None) -> list[str]:
    """Bring one machine into its normal form, in place, and return its faults."""
    name = str(machine.get("name", ""))
    machine["name"] = name
    # A machine without a name is told by its address; its other settings may hold a password.
    who = f"machine {name or machine['mac']}"
    where = f"{who}: {PREFIX}"
    faults = []
    if not is_host_name(name):
        faults.append(f"{who}: name: not a valid host name (RFC 1123); use letters, digits and '-'")
    for key in machine:
        if key not in {*FOREIGN, *DERIVED, *DEFAULTS}:
            faults.append(f"{where}{key}: no such setting; {suggest(str(key), DEFAULTS)}")
    machine["secure_boot_ca"] = str(machine["secure_boot_ca"])  # YAML reads 2023 as a number
    faults += _form_faults(machine, where)
    faults += [f"{where}{fault}" for fault in (*logins.faults(machine), *host_keys.faults(machine))]
    machine["host_key"], machine["cloud_config"] = host_keys.of(machine), host_keys.cloud_config(machine)
    faults += [f"{where}power: {fault}" for fault in power.faults(machine["power"], machine["mac"])]
    faults += _mac_faults(machine, where)
    if machine["install"] == "always" and machine["wipe"] == "blank":
        faults.append(
            f"{where}wipe: with netboot_install: always every installation but the first wipes a disk that holds "
            "something; say netboot_wipe: always, or netboot_install: once"
        )
    if isinstance(machine["network"], dict):
        faults += [f"{where}network: {fault}" for fault in static_address.faults(machine)]
    machine["expect"], unusable = expectations.normalise(machine)
    faults += [f"{where}{fault}" for fault in unusable]
    faults += _image_faults(machine, images)
    image = (images or {}).get(machine["image"]) or {}
    machine["release"] = image.get("release")
    # Only in check mode, before a first download, is the version's own folder unknown.
    machine["folder"] = image.get("folder") or f"images/{machine['image']}/current"
    machine["loader"] = loaders.asked(machine) if isinstance(machine["quirks"], list) else {}
    machine["image_kernel_args"] = list(image.get("kernel_args", []))
    return faults + offline.faults(machine, image) + _memory_faults(machine, image)


def _form_faults(machine: Mapping[str, Any], where: str) -> list[str]:
    """Return what has not the form, or is not one of the words, that the setting must be."""
    faults = []
    for key, choices in CHOICES.items():
        if machine[key] not in choices:
            faults.append(f"{where}{key}: '{machine[key]}' is not one of {', '.join(choices)}")
    for key, known in WORDS.items():
        given = machine[key]
        if not isinstance(given, list):
            faults.append(f"{where}{key}: must be a list such as [{next(iter(known))}]")
            continue
        faults += [
            f"{where}{key}: there is no '{word}'; {suggest(str(word), known)}"
            for word in given
            if not isinstance(word, str) or word not in known
        ]
    if isinstance(machine["quirks"], list):
        faults += [f"{where}{fault}" for fault in loaders.faults(machine)]
    for key, (kind, example) in _TYPES.items():
        if not isinstance(machine[key], kind):
            faults.append(f"{where}{key}: must be {example}")
    return faults + [f"{where}kernel_args: {fault}" for fault in kernel_args.faults(machine["kernel_args"])]


def _memory_faults(machine: Mapping[str, Any], image: Mapping[str, Any]) -> list[str]:
    """Return why the machine's memory does not suffice; nothing when the inventory does not say how much it has."""
    if machine["memory"] is None:
        return []
    where = f"machine {machine['name']}: {PREFIX}memory"
    try:
        memory = _memory.parse(machine["memory"])
    except ValueError as error:
        return [f"{where}: {error}"]
    own = machine["kernel_args"] if isinstance(machine["kernel_args"], list) else []
    arguments = [*own, *machine["image_kernel_args"]]
    ramdisk = arguments if system.find(machine["release"]).ramdisk else ()
    need = system.memory_needed(image.get("sizes") or {}, ramdisk)
    if need is None or memory >= need or machine["install"] == "never":
        return []
    smaller = "" if image.get("small") else f"write small: true in {PREFIX}images, "
    return [
        f"{where}: {machine['memory']} is too little for image {machine['image']}, which needs "
        f"{_memory.gigabytes(need)}: the installer keeps the ISO in memory. Add memory, {smaller}"
        f"name a smaller image in {PREFIX}image, or write {PREFIX}install: never"
    ]


def _mac_faults(machine: dict[str, Any], where: str) -> list[str]:
    if machine["mac"] is None:
        return [f"{where}mac: is missing; write the network card's address, like {_mac.EXAMPLE}"]
    if machine["mac"] == ANY:
        if machine["install"] == "always":
            return []
        return [
            f"{where}install: '{machine['install']}' does not go with netboot_mac: any, which wipes every disk in the"
            " network that boots from it; say netboot_install: always, or name the machines one by one"
        ]
    try:
        machine["mac"] = _mac.normalise(machine["mac"])
    except ValueError as error:
        return [f"{where}mac: {error}"]
    return []


def _image_faults(machine: dict[str, Any], images: Mapping[str, Any] | None) -> list[str]:
    where = f"machine {machine['name']}: {PREFIX}image"
    if images is None:
        return []
    if machine["image"] is None and len(images) == 1:
        machine["image"] = next(iter(images))
    if machine["image"] is None:
        there = (
            f"one of {', '.join(sorted(images))}" if images else "an image, and describe it in netboot_images"
        )
        return [f"{where}: is missing; name {there}"]
    if not isinstance(machine["image"], str) or machine["image"] not in images:
        return [
            f"{where}: '{machine['image']}' is not in netboot_images; {suggest(str(machine['image']), images)}"
        ]
    return []


def _doubled(machines: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return a fault for every name and every MAC that two machines share."""
    faults = []
    for key in ("name", "mac"):
        first: dict[str, str] = {}
        for machine in machines:
            # Host names and addresses that differ only in case are the same in DNS and on the wire.
            value = str(machine[key]).lower()
            if machine[key] is None:
                continue
            if value in first:
                faults.append(
                    f"machines {first[value]} and {machine['name']}: {PREFIX if key != 'name' else ''}{key}: "
                    f"both have {machine[key]}; each needs its own"
                )
            first.setdefault(value, machine["name"])
    return faults + _doubled_addresses(machines) + power.doubled(machines)


def _doubled_addresses(machines: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return a fault for every address that two machines share, be it where Ansible finds them or given to them."""
    faults = []
    first: dict[str, tuple[str, str]] = {}
    for machine in machines:
        theirs = {
            str(machine.get("ansible_host") or "").lower(): "ansible_host",
            static_address.address_of(machine): f"{PREFIX}network",
        }
        for address, variable in theirs.items():
            name, other = first.setdefault(address, (machine["name"], variable))
            if address and name != machine["name"]:
                variables = " and ".join(sorted({variable, other}))
                faults.append(
                    f"machines {name} and {machine['name']}: {variables}: both have {address}; each needs its own"
                )
    return faults
