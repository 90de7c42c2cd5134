# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""SSH host keys that the inventory gives to machines, so that they are known before a machine has started."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.homelab.netboot.plugins.module_utils._program import ssh_keys

#: What C(netboot_host_keys) can say: who makes the keys, each machine at its first start or people on the controller.
MACHINE, CONTROLLER = "machine", "controller"
CHOICES = (MACHINE, CONTROLLER)
MAKE = (
    "make one for this machine: ssh-keygen -q -t ed25519 -N '' -C '' -f FILE, and encrypt it by Ansible Vault"
)

# OpenSSH: PROTOCOL.key
_BEGIN, _END = "-----BEGIN OPENSSH PRIVATE KEY-----", "-----END OPENSSH PRIVATE KEY-----"
_MAGIC = b"openssh-key-v1\0"


def faults(machine: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong, beginning with the setting's name; never a part of a key.

    :param machine: with C(host_keys), one of L(CHOICES), and C(ssh_host_key).
    """
    given = machine["ssh_host_key"]
    if machine["host_keys"] == CONTROLLER and not given:
        yield f"ssh_host_key: is missing, as netboot_host_keys is controller; {MAKE}"
    elif machine["host_keys"] == MACHINE and given:
        yield "ssh_host_key: is not used; say netboot_host_keys: controller, or remove the key"
    elif given:
        try:
            public(given)
        except ValueError as error:
            yield f"ssh_host_key: {error}"


def of(machine: Mapping[str, Any]) -> str:
    """Return the machine's public key, where the inventory gives it one that is not faulty."""
    if machine["host_keys"] != CONTROLLER:
        return ""
    try:
        return public(machine["ssh_host_key"])
    except ValueError:
        return ""


def cloud_config(machine: Mapping[str, Any]) -> dict[str, Any]:
    """Return what has cloud-init give the key to the machine, and nothing else in its place (its module SSH)."""
    line = of(machine)
    if not line:
        return {}
    kind = line.partition(" ")[0].removeprefix("ssh-").partition("-")[0]
    private = machine["ssh_host_key"].strip() + "\n"
    return {"ssh_deletekeys": True, "ssh_keys": {f"{kind}_private": private, f"{kind}_public": line + "\n"}}


def public(private: Any) -> str:
    """Return the public key that lies in a private one, such as C(ssh-ed25519 AAAA…).

    :raises ValueError: with the remedy, when it is none, or cannot be used without a person.
    """
    text = private.strip() if isinstance(private, str) else ""
    if not (text.startswith(_BEGIN) and text.endswith(_END)):
        raise ValueError(f"is not a private key in OpenSSH's own format; {MAKE}")
    damaged = ValueError(f"is cut off or damaged; give the whole file, or {MAKE}")
    try:
        data = base64.b64decode("".join(text[len(_BEGIN) : -len(_END)].split()), validate=True)
    except ValueError:
        raise damaged from None
    cipher, rest = _field(data[len(_MAGIC) :])
    dummy, rest = _field(rest)
    dummy, rest = _field(rest)
    blob, secret = _field(rest[4:])
    if not data.startswith(_MAGIC) or not blob or rest[:4] != b"\0\0\0\1":
        raise damaged
    if cipher != b"none":
        raise ValueError(
            "has a passphrase, which nobody enters when the machine starts; take it away: ssh-keygen -p -N '' -f FILE"
        )
    told, more = _field(secret)
    size = int.from_bytes(blob[:4], "big")
    kind = blob[4 : 4 + size].decode("ascii", "replace")
    if more or not told or told[:4] != told[4:8] or not told[8:].startswith(blob[: 4 + size]):
        raise damaged
    line = ssh_keys.host_key(f"{kind} {base64.b64encode(blob).decode()}")
    if not line:
        raise ValueError(f"is of a type that a host cannot have here; {MAKE}")
    return line


def _field(data: bytes) -> tuple[bytes, bytes]:
    """Return the first field and what is behind it; nothing when it is not whole."""
    size = int.from_bytes(data[:4], "big")
    return (data[4 : 4 + size], data[4 + size :]) if len(data) >= 4 + size else (b"", b"")
