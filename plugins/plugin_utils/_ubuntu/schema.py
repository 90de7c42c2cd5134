# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""What Subiquity's autoinstall may say, as a JSON Schema (2020-12) with three keywords of our own.

Written from the "Autoinstall configuration reference manual" of Subiquity's documentation; for what Subiquity hands on
from curtin's "Storage" and "APT Source", and for C(network) from Netplan's reference.

=========  ============================================================================================================
C(since)   the release whose installers know this first; older ones would silently ignore it
C(near)    a key that is not known here, but looks like one that is, is taken for a mistyped one; others pass
C(say)     how to write it right, for the message
C(never)   why this must not be here
=========  ============================================================================================================

C(since) counts the newest ISO of a release, since nothing tells which point release an image is before it is there:
20.04.6 came with Subiquity 23.02, 22.04.5 with 24.08, 24.04.4 with 25.10 (by their dates and Subiquity's tags).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

TEXT: Schema = {"type": "string"}
_WORD: Schema = {**TEXT, "minLength": 1}
BOOL: Schema = {"type": "boolean"}
TEXTS: Schema = {"type": "array", "items": TEXT}
COMMANDS: Schema = {
    "type": "array",
    "items": {
        "type": ["string", "array"],
        "items": TEXT,
        "minLength": 1,
        "minItems": 1,
        "say": "a command is a text for the shell, or a list of a program and its arguments",
    },
}


def closed(properties: Schema, *required: str, **more: Any) -> Schema:
    """Return a mapping that has these keys and no others."""
    return {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "required": list(required),
        **more,
    }


def open_to_others(properties: Schema, *required: str, **more: Any) -> Schema:
    """Return a mapping that has these keys; others pass unless they look like one of these."""
    return {"type": "object", "properties": properties, "near": True, "required": list(required), **more}


_KEYS_OF_MATCH: Schema = {
    **dict.fromkeys(("model", "vendor", "path", "id_path", "devpath", "serial"), _WORD),
    "ssd": BOOL,
    "size": {"enum": ["largest", "smallest"]},
    "install-media": BOOL,
}
#: Closed: Subiquity ignores a key that it does not know, and a match without keys takes any disk.
MATCH: Schema = {
    "type": ["object", "array"],
    "properties": _KEYS_OF_MATCH,
    "additionalProperties": False,
    "items": closed(_KEYS_OF_MATCH),
    "minItems": 1,
}
LAYOUTS = ("direct", "lvm", "zfs", "hybrid")

_LAYOUT = open_to_others(
    {
        "name": {"enum": LAYOUTS, "since_values": {"zfs": "24.04", "hybrid": "24.04"}},
        "match": MATCH,
        "mode": {"enum": ["reformat_disk", "use_gap"]},
        "password": _WORD,
        "sizing-policy": {"enum": ["scaled", "all"], "since": "22.04"},
        "ptable": {"enum": ["gpt", "msdos"], "since": "24.04"},
        "reset-partition": {"type": ["boolean", "string", "integer"], "since": "22.04"},
        "reset-partition-only": {**BOOL, "since": "22.04"},
        "recovery-key": {"type": ["boolean", "object"], "since": "22.04"},
        "encrypted": {**BOOL, "since": "24.04"},
    },
    "name",
)
#: curtin's actions; that the ids they name exist is looked at elsewhere.
ACTIONS = (
    "bcache",
    "dasd",
    "device",
    "disk",
    "dm_crypt",
    "format",
    "lvm_partition",
    "lvm_volgroup",
    "mount",
    "nvme_controller",
    "partition",
    "raid",
    "zfs",
    "zpool",
)
_SIZE: Schema = {"type": ["integer", "string", "number"]}
_ACTION = open_to_others(
    {
        "type": {"enum": ACTIONS},
        "id": _WORD,
        "match": MATCH,
        "size": _SIZE,
        "ptable": {"enum": ["gpt", "msdos", "dos", "vtoc", "unsupported"]},
        "serial": TEXT,
        "path": {"type": ["string", "null"]},
        "preserve": BOOL,
        "grub_device": BOOL,
        "devices": TEXTS,
    },
    "type",
    "id",
    near=False,
)
_STORAGE = open_to_others(
    {
        "layout": _LAYOUT,
        "config": {"type": "array", "items": _ACTION, "minItems": 1},
        "swap": open_to_others(
            {"filename": TEXT, "size": _SIZE, "maxsize": _SIZE, "force": {"type": ["boolean", "string"]}}
        ),
        "grub": open_to_others(
            {
                "reorder_uefi": BOOL,
                "install_devices": {"type": ["array", "string", "null"]},
                "update_nvram": BOOL,
                "probe_additional_os": BOOL,
                "remove_old_uefi_loaders": BOOL,
                "remove_duplicate_entries": BOOL,
                "terminal": TEXT,
            }
        ),
    }
)

_KINDS_OF_DEVICES = (
    "ethernets",
    "wifis",
    "bridges",
    "bonds",
    "vlans",
    "tunnels",
    "modems",
    "vrfs",
    "dummy-devices",
)
_DEVICES: Schema = {
    "type": "object",
    "properties": {"match": {"never": "is no network card; it belongs below one's name"}},
    "additionalProperties": {"type": "object"},
}
_NETPLAN = open_to_others(
    {
        "version": {"enum": [2]},
        "renderer": {"enum": ["networkd", "NetworkManager"]},
        **dict.fromkeys(_KINDS_OF_DEVICES, _DEVICES),
    },
    "version",
)
_MIRROR: Schema = {
    "type": ["string", "object"],
    "properties": {"uri": TEXT, "arches": TEXTS},
    "required": ["uri"],
    "near": True,
    "pattern": "^country-mirror$",
    "say": "a mirror is country-mirror, or a mapping with uri and perhaps arches",
}
_APT = open_to_others(
    {
        "preserve_sources_list": BOOL,
        "primary": {"type": "array", "items": {"type": "object"}},
        "security": {"type": "array", "items": {"type": "object"}},
        "mirror-selection": {
            "type": "object",
            "properties": {"primary": {"type": "array", "items": _MIRROR}},
            "near": True,
            "since": "22.04",
        },
        "fallback": {"enum": ["abort", "continue-anyway", "offline-install"], "since": "22.04"},
        "geoip": BOOL,
        "sources": {"type": "object"},
        "sources_list": TEXT,
        "conf": TEXT,
        "debconf_selections": {"type": ["object", "string"]},
        "add_apt_repo_match": TEXT,
        "http_proxy": TEXT,
        "https_proxy": TEXT,
        "ftp_proxy": TEXT,
        "proxy": TEXT,
        "disable_suites": TEXTS,
        "disable_components": {
            "type": "array",
            "items": {"enum": ["universe", "multiverse", "restricted", "contrib", "non-free"]},
        },
        "preferences": {
            "type": "array",
            "items": open_to_others(
                {"package": TEXT, "pin": TEXT, "pin-priority": {"type": "integer"}},
                "package",
                "pin",
                "pin-priority",
            ),
        },
    }
)
_PRO = open_to_others(
    {
        "token": {
            **TEXT,
            "pattern": "^C[1-9A-HJ-NP-Za-km-z]{23,29}$",
            "say": "a token is a C and 23 to 29 letters and digits",
        }
    }
)
_URL: Schema = {
    "type": ["string", "null"],
    "pattern": "^https?://[^/ ]",
    "say": "write it like http://192.168.1.50:3128",
}

_SECTIONS: Schema = {
    "version": {"enum": [1]},
    "early-commands": COMMANDS,
    "late-commands": COMMANDS,
    "error-commands": COMMANDS,
    "reporting": {
        "type": "object",
        "additionalProperties": {
            "type": "object",
            "properties": {
                "type": {"enum": ["print", "rsyslog", "webhook", "none", "log", "journald"]},
                "endpoint": TEXT,
            },
            "required": ["type"],
            "if": {"properties": {"type": {"const": "webhook"}}},
            "then": {"required": ["endpoint"]},
        },
    },
    "locale": TEXT,
    "timezone": TEXT,
    "keyboard": closed(
        {"layout": TEXT, "variant": TEXT, "toggle": {"type": ["string", "null"]}},
        "layout",
    ),
    "refresh-installer": closed({"update": BOOL, "channel": TEXT}),
    "source": open_to_others({"id": TEXT, "search_drivers": BOOL}),
    "network": {
        "if": {"type": "object", "required": ["network"]},
        "then": closed({"network": _NETPLAN}, "network"),
        "else": _NETPLAN,
    },
    "proxy": _URL,
    "apt": _APT,
    "storage": _STORAGE,
    "identity": closed(
        {
            "realname": TEXT,
            "username": {
                **TEXT,
                "pattern": "^[a-z_][a-z0-9_-]{0,31}$",
                "say": "a user name is lower-case letters, digits, '_' and '-'",
            },
            "hostname": {
                **TEXT,
                "pattern": "^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$",
                "say": "a host name is letters, digits, '-' and '.'",
            },
            "password": TEXT,
            "groups": {
                "type": ["array", "object"],
                "items": TEXT,
                "properties": {"override": TEXTS, "append": TEXTS},
                "additionalProperties": False,
                "maxProperties": 1,
                "say": "a list of groups, or one of override and append",
                "since": "26.04",
            },
        },
        "username",
        "hostname",
        "password",
    ),
    "active-directory": closed({"admin-name": TEXT, "domain-name": TEXT}, since="22.04"),
    "ubuntu-pro": _PRO,
    "ubuntu-advantage": _PRO,
    "ssh": open_to_others({"install-server": BOOL, "authorized-keys": TEXTS, "allow-pw": BOOL}),
    "codecs": open_to_others({"install": BOOL}, since="22.04"),
    "drivers": open_to_others({"install": BOOL}),
    "oem": open_to_others({"install": {"enum": [True, False, "auto"]}}, "install", since="22.04"),
    "snaps": {
        "type": "array",
        "items": closed({"name": _WORD, "channel": TEXT, "classic": BOOL}, "name"),
    },
    "debconf-selections": TEXT,
    "packages": {
        "type": "array",
        "items": {
            **TEXT,
            "pattern": r"^[^\s]+$",
            "say": "one package each, such as tmux, dns-server^ or mc=1.2-3",
        },
    },
    "kernel": closed(
        {"package": TEXT, "flavor": TEXT},
        minProperties=1,
        maxProperties=1,
        say="either package or flavor",
    ),
    "kernel-crash-dumps": closed({"enabled": {"type": ["boolean", "null"]}}, "enabled", since="24.04"),
    "updates": {"enum": ["security", "all"]},
    "shutdown": {"enum": ["reboot", "poweroff"]},
    "user-data": {"type": "object"},
    "zdevs": {
        "type": "array",
        "items": open_to_others({"id": TEXT, "enabled": BOOL}, "id"),
        "since": "24.04",
    },
}

SCHEMA: Schema = closed(
    {
        **_SECTIONS,
        "interactive-sections": {
            "type": "array",
            "items": {"enum": sorted({*_SECTIONS, "*"} - {"version"})},
        },
    },
    "version",
)
