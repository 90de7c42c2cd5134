# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""Who can log in to an installed machine: user, public keys, hash of the password."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.homelab.netboot.plugins.module_utils._program import ssh_keys

# useradd(8), "CAVEATS", and the length that utmp(5) has room for; Subiquity takes the same.
_USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
# sshd(8), "AUTHORIZED_KEYS FILE FORMAT": perhaps options, the type, the key in base64, perhaps a comment.
_TYPES = (
    *("ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"),
    *("sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com"),
)
_KEY = re.compile(rf"(?:^|.*\s)(?P<type>{'|'.join(map(re.escape, _TYPES))})\s+(?P<key>\S+)(?:\s.*)?")
_PATH = re.compile(r"(~|\.{0,2}/).*|\S+\.pub")
# crypt(5): for each method the digits of salt and hash.
_B64 = "[./0-9A-Za-z]"
_HASH = re.compile(
    rf"\$6\$(rounds=\d+\$)?[^$:\s]{{1,16}}\${_B64}{{86}}|\$5\$(rounds=\d+\$)?[^$:\s]{{1,16}}\${_B64}{{43}}"
    rf"|\$g?y\${_B64}+\${_B64}{{1,86}}\${_B64}{{43}}|\$7\${_B64}{{11,97}}\${_B64}{{43}}"
    rf"|\$2[abxy]\$\d\d\${_B64}{{53}}|\$1\$[^$:\s]{{1,8}}\${_B64}{{22}}|[!*]"
)
HASH_IT = (
    "must be a hash as `mkpasswd` or the filter password_hash makes it, whole, and not the password itself"
)


def faults(machine: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong, beginning with the setting's name; never a part of a password or a private key.

    :param machine: with C(user), C(ssh_keys) and C(password_hash).
    """
    user, password = machine["user"], machine["password_hash"]
    if not isinstance(user, str) or not _USER.fullmatch(user):
        yield f"user: {user!r} is no name of a user; use a small letter, then small letters, digits, '-' and '_'"
    if password and not (isinstance(password, str) and _HASH.fullmatch(password)):
        yield f"password_hash: {HASH_IT}"
    keys = machine["ssh_keys"]
    if not isinstance(keys, list):
        yield "ssh_keys: must be a list of public keys"
        return
    for index, key in enumerate(keys):
        fault = _key_fault(key)
        if fault:
            yield f"ssh_keys[{index}]: {fault}"


def _key_fault(key: Any) -> str:
    example = "a line like 'ssh-ed25519 AAAA… you@home', as it stands in a file like id_ed25519.pub"
    if not isinstance(key, str) or not key.strip() or "PRIVATE KEY" in key:
        return f"is not a public key; give {example}"
    text = key.strip()
    if _PATH.fullmatch(text):
        return f"'{text}' is a path; put the key's text here, or use lookup('file', '{text}')"
    if "\n" in text:
        return f"has more than one line; give each key as an item of its own, {example}"
    found = _KEY.fullmatch(text)
    if not found:
        return f"is not a public key that OpenSSH takes; give {example}"
    return (
        ""
        if ssh_keys.is_whole(found["type"], found["key"])
        else f"is cut off or damaged; give {example}, whole"
    )
