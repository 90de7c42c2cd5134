# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""What each setting of the server may be. They end up in files of dnsmasq, nginx and systemd, and in addresses."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.homelab.netboot.plugins.plugin_utils._faults import shown
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory import networks

FOLDERS = ("netboot_root", "netboot_state", "netboot_spool")
# Without what nginx, systemd and dnsmasq would have to be told to take literally.
_FOLDER = re.compile(r"(/[A-Za-z0-9._+@-]+)+")
# What ProtectHome= and PrivateTmp= take out of the services' sight, systemd.exec(5).
_HIDDEN = re.compile(r"/(home|root|run/user|tmp|var/tmp)(/.*)?")
# Folders of the system itself, and what lies in them; below the second ones folders of one's own are usual.
_SYSTEM = re.compile(
    r"/(bin|boot|dev|etc|lib\w*|proc|run|sbin|sys|usr)(/.*)?|/(media|mnt|opt|srv|var)|/var/(cache|lib|log|spool)"
)
_NAME = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
_LAST_PORT = 65535
_FORMS: Mapping[str, tuple[str, str]] = {
    "netboot_group": (_NAME.pattern, "write the name of a group of the server, like www-data"),
    "netboot_interface": (
        f"({networks.INTERFACE.pattern})?",
        "write the name of an interface as `ip link` shows it, like eno1",
    ),
    "machine_states_textfile": (
        r"((/[A-Za-z0-9._+@-]+)+\.prom)?",
        "write the full path of a file that ends in .prom, like /var/lib/prometheus/node-exporter/netboot.prom",
    ),
    "pxe_http_report_size": (r"[1-9]\d{0,5}[kK]?|[1-9]\d?[mM]", "write a size as nginx does, like 64k"),
    "pxe_http_apt_size": (r"[1-9]\d{0,5}[mMgG]", "write a size as nginx does, like 20g"),
    "pxe_http_apt_free": (r"[1-9]\d{0,5}[mMgG]", "write a size as nginx does, like 5g"),
    "pxe_cache_size": (r"[1-9]\d{0,5}[mMgG]", "write a size as nginx does, like 20g"),
    "pxe_cache_free": (r"[1-9]\d{0,5}[mMgG]", "write a size as nginx does, like 5g"),
    "pxe_http_report_rate": (r"[1-9]\d{0,5}r/[sm]", "write a rate as nginx does, like 60r/m or 2r/s"),
}
_NUMBERS: Mapping[str, tuple[float, float, str]] = {
    "netboot_http_port": (1, _LAST_PORT, "write a port number from 1 to 65535, like 80 or 8080"),
    "pxe_http_report_burst": (0, 10000, "write a number from 0 to 10000"),
    "pxe_http_apt_days": (1, 3650, "write a number of days from 1 to 3650"),
    "pxe_cache_days": (1, 3650, "write a number of days from 1 to 3650"),
    "machine_states_hours": (0.01, 168, "write a number of hours from 0.01 to 168 (a week)"),
}


def faults(settings: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with settings of the server, each with the variable and the remedy.

    :param settings: variable → value; any of those that this file knows.
    """
    return [
        *_form_faults(settings),
        *networks.faults(settings),
        *_resolver_faults(settings.get("pxe_http_resolvers", [])),
        *_folder_faults(settings),
        *_nested(settings),
    ]


def _resolver_faults(given: Any) -> Iterator[str]:
    for one in given if isinstance(given, list) else [given]:
        address, dummy, port = str(one).partition(":")
        try:
            ipaddress.IPv4Address(address)
            is_good = not dummy or 1 <= int(port) <= _LAST_PORT
        except ValueError:
            is_good = False
        if not is_good:
            yield f"pxe_http_resolvers: '{shown(one)}' cannot be used; write IPv4 addresses, like [192.168.1.1]"


def _form_faults(settings: Mapping[str, Any]) -> Iterator[str]:
    for name, (form, remedy) in _FORMS.items():
        if name in settings and not re.fullmatch(form, str(settings[name])):
            yield f"{name}: '{shown(settings[name])}' cannot be used; {remedy}"
    for name, (least, most, remedy) in _NUMBERS.items():
        if name not in settings:
            continue
        try:
            fits = least <= float(settings[name]) <= most
        except (TypeError, ValueError):
            fits = False
        if not fits:
            yield f"{name}: '{shown(settings[name])}' cannot be used; {remedy}"


def _folder_faults(settings: Mapping[str, Any]) -> Iterator[str]:
    for name in FOLDERS:
        folder = str(settings.get(name, "/srv/netboot"))
        parts = folder.split("/")
        if not _FOLDER.fullmatch(folder) or "." in parts or ".." in parts:
            yield (
                f"{name}: '{shown(folder)}' cannot be used; write a full path of letters, digits and . _ + @ -, "
                "like /srv/netboot"
            )
        elif _HIDDEN.fullmatch(folder):
            yield (
                f"{name}: systemd hides {folder} from the services, as all homes and temporary folders; "
                "choose another folder, like /srv/netboot"
            )
        elif _SYSTEM.fullmatch(folder):
            yield f"{name}: {folder} belongs to the system; choose a folder of its own, like /srv/netboot"


def _nested(settings: Mapping[str, Any]) -> Iterator[str]:
    there = [(name, str(settings[name])) for name in FOLDERS if name in settings]
    for index, (name, folder) in enumerate(there):
        for other, place in there[index + 1 :]:
            if f"{folder}/".startswith(f"{place}/") or f"{place}/".startswith(f"{folder}/"):
                yield (
                    f"{name}, {other}: {folder} and {place} lie in one another, so that what is private could be "
                    "served, or what is served be removed; choose folders side by side"
                )
