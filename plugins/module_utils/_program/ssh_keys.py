# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""Public keys of SSH, by their form: type, base64, and the lengths in it. Pure; controller and server use it."""

from __future__ import annotations

import base64
from urllib.parse import parse_qsl

#: Fields in a key's base64, the type's name among them; of all others three (RFC 4253, 5656, 8709; PROTOCOL.u2f).
_FIELDS = {
    "ssh-ed25519": 2,
    "ssh-rsa": 3,
    "sk-ssh-ed25519@openssh.com": 3,
    "sk-ecdsa-sha2-nistp256@openssh.com": 4,
}
#: Types that a host can have, as far as cloud-init tells them.
HOST_TYPES = (
    *("ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384"),
    "ecdsa-sha2-nistp521",
)
#: Host keys of a machine that are kept; fields of a form that are read.
MOST, FIELDS = 8, 32
#: How phone_home calls keys in its form.
_NAME = "pub_key_"


def is_whole(kind: str, text: str) -> bool:
    """Whether the base64 holds the fields of such a key, to the last byte."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        return False
    fields = []
    while data:
        size = int.from_bytes(data[:4], "big")
        if len(data) < 4 + size:
            return False
        fields.append(data[4 : 4 + size])
        data = data[4 + size :]
    return bool(fields) and fields[0] == kind.encode() and len(fields) == _FIELDS.get(kind, 3) and all(fields)


def host_key(line: str) -> str:
    """A line of a host's public key without its comment; nothing when it is none."""
    kind, key = [*line.split(), "", ""][:2]
    return f"{kind} {key}" if kind in HOST_TYPES and is_whole(kind, key) else ""


def host_keys(form: str) -> tuple[str, ...]:
    """The host keys that cloud-init's phone_home has sent; what is none is dropped.

    It sends "N/A" for a key that is not there.
    """
    try:
        fields = parse_qsl(form, max_num_fields=FIELDS)
    except ValueError:
        return ()
    found = (host_key(value) for name, value in fields if name.startswith(_NAME))
    return tuple(dict.fromkeys(filter(None, found)))[:MOST]
