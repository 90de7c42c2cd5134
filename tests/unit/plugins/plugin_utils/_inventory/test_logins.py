# SPDX-License-Identifier: GPL-3.0-or-later
"""Who could not log in is told before a disk is wiped."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory.logins import HASH_IT, faults

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIZmxrFyf7PTkSFHHyVdmvXVDVHiAGZLqA6hZAZ0Zc5D"


def told(user: Any = "ubuntu", keys: Any = (KEY,), password: Any = "") -> list[str]:
    keys = list(keys) if isinstance(keys, tuple) else keys
    return list(faults({"user": user, "ssh_keys": keys, "password_hash": password}))


@pytest.mark.parametrize(
    "options",
    [
        ["-t", "ed25519"],
        ["-t", "rsa", "-b", "2048"],
        *(["-t", "ecdsa", "-b", size] for size in ("256", "384", "521")),
    ],
)
def test_what_ssh_keygen_makes_is_a_key_and_a_part_of_it_is_none(tmp_path: Path, options: list[str]) -> None:
    if not shutil.which("ssh-keygen"):
        pytest.skip("no ssh-keygen here")
    subprocess.run(
        ["ssh-keygen", "-q", "-N", "", "-f", tmp_path / "key", "-C", "me at home", *options], check=True
    )
    text = (tmp_path / "key.pub").read_text()
    for key in (text, f'from="10.0.0.*",command="echo a b" {text}'):
        assert told(keys=[key]) == []
    kind, data, *_comment = text.split()
    for cut in (data[:-4], data[: len(data) // 2], data + "AAAA", data.lower(), "AAAA", "…"):
        (fault,) = told(keys=[f"{kind} {cut}"])
        assert fault.startswith("ssh_keys[0]: is cut off or damaged; give a line like ")
    (fault,) = told(keys=[(tmp_path / "key").read_text()])
    assert fault.startswith("ssh_keys[0]: is not a public key; give ")
    assert data[:20] not in fault


@pytest.mark.parametrize(
    "path", ["~/.ssh/id_ed25519.pub", "/root/.ssh/id_rsa.pub", "./keys/me.pub", "me.pub", "~/key"]
)
def test_a_path_is_told_from_a_key(path: str) -> None:
    assert told(keys=[path]) == [
        f"ssh_keys[0]: '{path}' is a path; put the key's text here, or use lookup('file', '{path}')"
    ]


@pytest.mark.parametrize(
    ("key", "fault"),
    [
        ("", "is not a public key; give"),
        (1, "is not a public key; give"),
        (f"{KEY} a\n{KEY} b", "has more than one line"),
        ("ssh-dss AAAAB3NzaC1kc3MAAACBAK", "is not a public key that OpenSSH takes"),
        (
            "AAAAC3NzaC1lZDI1NTE5AAAAIIZmxrFyf7PTkSFHHyVdmvXVDVHiAGZLqA6hZAZ0Zc5D",
            "is not a public key that OpenSSH",
        ),
        (KEY.replace("ssh-ed25519", "ssh-rsa"), "is cut off or damaged"),
    ],
)
def test_what_is_no_key(key: Any, fault: str) -> None:
    (one,) = told(keys=[KEY, key])
    assert one.startswith(f"ssh_keys[1]: {fault}")


def test_keys_are_a_list() -> None:
    assert told(keys=KEY) == ["ssh_keys: must be a list of public keys"]
    assert told(keys=[]) == []


@pytest.mark.parametrize("user", ["ubuntu", "_me", "a", "a-b_9", "x" * 32])
def test_users_that_useradd_makes(user: str) -> None:
    assert told(user=user) == []


@pytest.mark.parametrize(
    "user", ["", "a b", "root/x", "a\nb", "a\n", "Me", "9a", "-a", "x" * 33, "é", None, ["me"], "a:b"]
)
def test_users_that_it_does_not(user: Any) -> None:
    (fault,) = told(user=user)
    assert fault.startswith(f"user: {user!r} is no name of a user; use ")


# What crypt(3) made of a word.
HASHES = [
    "$6$JhTLGS6EGvpoNwe2$67WtGxZcpRF3/UvqxVY384MO2Zx8mytqfaWgMRJ9mDnFDDTzgHBgFY3/2bGhSfUHsXtI1P0gkAHjq0ygIaA2U1",
    "$5$ortdMO0vLBnrfmPd$lmGVMOATKIjn.Jpo0zBRPBOgjGGqAjZjyTBdh3dir17",
    "$2b$12$iE9uCxJdyjdhI75I4ID2zeUm2gvizANdz1Fr.oex8./SrF3YmQ60O",
    "$1$h.zf91iA$T8la/isT2wwbigSufuOVP.",
    "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o.9agCG9G317fhZg9SqC.5i5rd.RhAtQ7",
]


@pytest.mark.parametrize("text", HASHES, ids=lambda text: text[:3])
def test_what_crypt_makes_is_a_hash_and_a_part_of_it_is_none(text: str) -> None:
    assert told(password=text) == []
    for wrong in (text[:-1], text + "x", text.rpartition("$")[0], f" {text}", f"{text}\n"):
        assert told(password=wrong) == [f"password_hash: {HASH_IT}"]


@pytest.mark.parametrize("text", ["!", "*"])
def test_an_account_that_is_locked_on_purpose(text: str) -> None:
    assert told(password=text) == []


@pytest.mark.parametrize("text", ["secret", "$6$x", "$6$salt$hash", 1, ["a"], "$6$" + "x" * 86])
def test_a_password_is_not_told_in_the_fault(text: Any) -> None:
    assert told(password=text) == [f"password_hash: {HASH_IT}"]
