# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""What a schema cannot see in an autoinstall mapping, and Subiquity takes without a word or finds out hours later.

Every fault is a path and a text that names the remedy. No value is ever told that may be a password, a hash or a key.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from ansible_collections.homelab.netboot.plugins.plugin_utils._faults import suggest
from ansible_collections.homelab.netboot.plugins.plugin_utils._ubuntu import names

Path = tuple[Any, ...]
Fault = tuple[Path, str]

#: crypt(5): $id$…; or an account that is locked on purpose.
_HASH = re.compile(r"\$(1|2[abxy]?|5|6|7|y|gy|md5|sha1)[$,].+|[!*].*")
HASH_IT = "must be a hash as `mkpasswd` or the filter password_hash makes it, not the password itself"
# Where an action of storage.config names others (curtin's documentation, "Storage"; Subiquity's model of it).
_REFERENCES: Mapping[str, tuple[str, ...]] = {
    "bcache": ("backing_device", "cache_device"),
    "disk": ("nvme_controller",),
    "dm_crypt": ("volume",),
    "format": ("volume",),
    "lvm_partition": ("volgroup",),
    "lvm_volgroup": ("devices",),
    "mount": ("device",),
    "partition": ("device",),
    "raid": ("devices", "spare_devices", "container"),
    "zfs": ("pool",),
    "zpool": ("vdevs",),
}


def sections(key: str, value: Any) -> Iterator[Fault]:
    """Yield the faults of one top-level section, which depend on nothing but it.

    :param key: its name.
    :param value: as the schema accepts it.
    """
    if key in ("timezone", "locale"):
        wrong = (names.time_zone if key == "timezone" else names.locale)(value)
        if wrong:
            yield (key,), f"'{value}' {wrong}"
    elif key == "keyboard":
        wrong = names.keyboard(value["layout"])
        if wrong:
            yield (key, "layout"), f"'{value['layout']}' {wrong}"
    elif key == "storage":
        yield from _layout(value)
        yield from _config(value.get("config", []))
    elif key == "user-data":
        yield from _cloud_passwords(value)
    elif key == "identity":
        if not _is_hash(value["password"]):
            yield (key, "password"), HASH_IT
        wrong = names.user(value["username"])
        if wrong:
            yield (key, "username"), f"'{value['username']}' {wrong}"


def whole(told: Mapping[str, Any], wrong: Collection[str] = ()) -> Iterator[Fault]:
    """Yield the faults that lie between sections.

    :param told: sections as the schema accepts them.
    :param wrong: sections that are there, and have been found faulty by themselves.
    """
    if told.get("interactive-sections") and "reporting" in told:
        yield (
            ("reporting",),
            "is ignored by Subiquity when there are interactive-sections; leave one of them out",
        )
    storage = told.get("storage", {})
    if "layout" in storage and "config" in storage:
        yield ("storage", "config"), "is ignored by Subiquity when there is a layout; leave one of them out"
    if not {"ssh", "identity", "user-data"} & {*wrong} and not _has_login(told):
        yield (
            (),
            "netboot_ssh_keys: nobody could log in after the installation; give at least one public key, "
            "or netboot_password_hash",
        )


def is_hash(value: Any) -> bool:
    """Return whether a password is a hash, or nothing."""
    return not value or _is_hash(value)


def _is_hash(value: Any) -> bool:
    return isinstance(value, str) and bool(_HASH.fullmatch(value))


def _has_login(told: Mapping[str, Any]) -> bool:
    keys = told.get("ssh", {}).get("authorized-keys")
    if "identity" in told and (keys or told["identity"].get("password")):
        return True
    cloud = told.get("user-data", {})
    users = cloud.get("users", ["default"])
    users = users if isinstance(users, list) else [users]
    # Keys without an identity go to cloud-init's default user, if that is made.
    if "default" in users and (keys or cloud.get("ssh_authorized_keys") or cloud.get("password")):
        return True
    return any(isinstance(user, Mapping) and _may_enter(user, cloud) for user in users)


def _may_enter(user: Mapping[str, Any], cloud: Mapping[str, Any]) -> bool:
    """Return whether a user of cloud-init's can log in; a password is locked unless it says otherwise."""
    if user.get("ssh_authorized_keys") or user.get("ssh_import_id"):
        return True
    has_password = any(user.get(key) for key in ("passwd", "hashed_passwd", "plain_text_passwd"))
    return (has_password or "chpasswd" in cloud) and user.get("lock_passwd", True) is False


def _cloud_passwords(cloud: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield every plain-text password in cloud-init's user-data (its modules Users and Groups, Set Passwords)."""
    here = "user-data"
    if cloud.get("password") and not _is_hash(cloud["password"]):
        yield (here, "password"), HASH_IT
    users = cloud.get("users")
    for index, user in enumerate(users if isinstance(users, list) else []):
        if not isinstance(user, Mapping):
            continue
        for key in ("passwd", "hashed_passwd"):
            if user.get(key) and not _is_hash(user[key]):
                yield (here, "users", index, key), HASH_IT
        if user.get("plain_text_passwd"):
            yield (here, "users", index, "plain_text_passwd"), f"{HASH_IT}, under the key passwd"
    change = cloud.get("chpasswd")
    yield from _set_passwords(change if isinstance(change, Mapping) else {}, here)


def _set_passwords(change: Mapping[str, Any], here: str) -> Iterator[Fault]:
    for index, entry in enumerate(change["users"] if isinstance(change.get("users"), list) else []):
        if not isinstance(entry, Mapping) or entry.get("type") == "RANDOM":
            continue
        if entry.get("type") == "text" or not _is_hash(entry.get("password")):
            yield (here, "chpasswd", "users", index, "password"), f"{HASH_IT}, with the type hash"
    lines = change.get("list", [])
    for index, line in enumerate(lines.splitlines() if isinstance(lines, str) else lines or []):
        password = str(line).partition(":")[2].strip()
        if password and password not in ("R", "RANDOM") and not _is_hash(password):
            yield (here, "chpasswd", "list", index), HASH_IT


def _layout(storage: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield what Subiquity would pass over in silence: most of all a passphrase that encrypts nothing."""
    layout = storage.get("layout", {})
    name = layout.get("name")
    only = {
        "password": ("lvm", "zfs"),
        "sizing-policy": ("lvm",),
        "recovery-key": ("lvm",),
        "encrypted": ("hybrid",),
    }
    for key, layouts in only.items():
        if key in layout and name not in layouts:
            yield (
                ("storage", "layout", key),
                f"has no effect with the layout {name}; it is for {' and '.join(layouts)}",
            )
    if layout.get("recovery-key") and "password" not in layout:
        yield ("storage", "layout", "recovery-key"), "needs a password beside it"
    if isinstance(layout.get("match"), Mapping) and not layout["match"]:
        yield (
            ("storage", "layout", "match"),
            "is empty, and takes any disk; say which, or leave it out for the largest",
        )


def _config(actions: list[Mapping[str, Any]]) -> Iterator[Fault]:
    """Yield references to what is not there, ids that are given twice, and a system without a root."""
    here = ("storage", "config")
    every = [action["id"] for action in actions]
    seen: set[str] = set()
    for index, action in enumerate(actions):
        for key in _REFERENCES.get(action["type"], ()):
            value = action.get(key)
            for name in value if isinstance(value, list) else [value] if value is not None else []:
                if name not in every:
                    yield (
                        (*here, index, key),
                        f"there is no '{name}' in storage.config; {suggest(str(name), every)}",
                    )
                elif name not in seen:
                    yield (
                        (*here, index, key),
                        f"'{name}' comes later; Subiquity reads from top to bottom, move it up",
                    )
        if action["id"] in seen:
            yield (*here, index, "id"), f"'{action['id']}' is there twice; give each its own"
        seen.add(action["id"])
    if actions and not any(_is_root(action) for action in actions):
        yield here, "nothing is mounted at '/'; add an action of type mount with path '/'"


def _is_root(action: Mapping[str, Any]) -> bool:
    return (action["type"] == "mount" and action.get("path") == "/") or action["type"] in ("zpool", "zfs")
