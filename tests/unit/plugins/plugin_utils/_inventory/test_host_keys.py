# SPDX-License-Identifier: GPL-3.0-or-later
"""Host keys of the inventory: what ssh-keygen makes is taken, all else is refused with a remedy, and not told."""

from __future__ import annotations

import base64
import functools
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.homelab.netboot.plugins.module_utils._program import ssh_keys
from ansible_collections.homelab.netboot.plugins.plugin_utils._faults import InputError
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory import (
    host_keys,
    machine_list,
    machines,
)
from ansible_collections.homelab.netboot.plugins.plugin_utils._ubuntu import seeds
from hypothesis import given
from hypothesis import strategies as st

NUC1 = {
    "name": "nuc1",
    "mac": "f4:4d:30:60:64:69",
    "ssh_keys": ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIZmxrFyf7PTkSFHHyVdmvXVDVHiAGZLqA6hZAZ0Zc5D"],
}


@functools.cache
def made(kind: str = "ed25519", *options: str) -> tuple[str, str]:
    """A private key and its public one, as ssh-keygen makes them."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, "key")
        argv = ["ssh-keygen", "-q", "-t", kind, "-C", "a comment", "-f", str(place), *(options or ("-N", ""))]
        subprocess.run(argv, check=True)
        return place.read_text(), " ".join(place.with_suffix(".pub").read_text().split()[:2])


def given_to(machine: dict[str, Any], key: str) -> dict[str, Any]:
    return {**machine, "host_keys": "controller", "ssh_host_key": key}


@pytest.mark.parametrize(
    ("kind", "name"), [("ed25519", "ed25519"), ("rsa", "rsa"), ("ecdsa", "ecdsa")], ids=lambda one: one
)
def test_a_key_goes_whole_into_the_seed_and_its_public_half_to_the_server(kind: str, name: str) -> None:
    private, public = made(kind)
    checked = machines.normalise([given_to(NUC1, private.strip())])
    assert checked[0]["host_key"] == public
    plan = seeds.files(checked, [{"name": "", "base_url": "http://192.168.1.50"}])
    cloud = yaml.safe_load(plan["seed/nuc1/user-data"])["autoinstall"]["user-data"]
    assert cloud["ssh_keys"] == {f"{name}_private": private, f"{name}_public": public + "\n"}
    assert cloud["ssh_deletekeys"] is True
    assert cloud["users"][0]["name"] == "ubuntu"
    assert "phone_home" in cloud
    listed = machine_list.text(checked)
    assert public in listed
    assert private.splitlines()[3] not in listed


def test_where_the_machine_makes_its_keys_nothing_is_said_of_them() -> None:
    (checked,) = machines.normalise([NUC1])
    assert (checked["host_keys"], checked["host_key"], checked["cloud_config"]) == ("machine", "", {})


def test_an_identity_of_subiquity_s_keeps_its_place() -> None:
    own = {"identity": {"hostname": "x", "username": "y", "password": "!"}}
    checked = machines.normalise([{**given_to(NUC1, made()[0]), "autoinstall": own}])
    told = yaml.safe_load(seeds.files(checked)["seed/nuc1/user-data"])["autoinstall"]
    assert sorted(told["user-data"]) == ["ssh_deletekeys", "ssh_keys"]
    assert told["identity"]["username"] == "y"


def lines(text: str, *keep: int) -> str:
    parts = text.splitlines()
    return "\n".join([*parts[: keep[0]], *parts[keep[1] :]])


def other(text: str, old: bytes, new: bytes) -> str:
    """The same key with other bytes in it."""
    return armoured(raw(text).replace(old, new, 1))


def torn(text: str, place: int) -> str:
    """The same key with another bit at this place."""
    data = bytearray(raw(text))
    data[place] ^= 1
    return armoured(bytes(data))


def raw(text: str) -> bytes:
    return base64.b64decode(text.split("-----")[2])


def armoured(data: bytes) -> str:
    text = base64.b64encode(data).decode()
    return f"-----BEGIN OPENSSH PRIVATE KEY-----\n{text}\n-----END OPENSSH PRIVATE KEY-----\n"


#: Behind the magic, cipher, kdf and no options stands the number of keys; then the public one, then two equal numbers.
NUMBER = len(b"openssh-key-v1\0") + 3 * 4 + 2 * len(b"none") + 3
CHECK = NUMBER + 1 + 4 + 51 + 4
PRIVATE, PUBLIC = made()
WRONG = {
    "": "is missing, as netboot_host_keys is controller; make one for this machine: ssh-keygen -q -t ed25519",
    PUBLIC: "is not a private key in OpenSSH's own format; make one",
    "/etc/ssh/key": "is not a private key in OpenSSH's own format; make one",
    made("rsa", "-m", "PEM", "-N", "")[0]: "is not a private key in OpenSSH's own format; make one",
    made("ed25519", "-N", "secret")[
        0
    ]: "has a passphrase, which nobody enters when the machine starts; take it away",
    lines(PRIVATE, 1, 2): "is cut off or damaged; give the whole file",
    lines(PRIVATE, 3, 4): "is cut off or damaged; give the whole file",
    PRIVATE.replace("\n", "\n*", 1): "is cut off or damaged; give the whole file",
    torn(PRIVATE, NUMBER): "is cut off or damaged; give the whole file",
    torn(PRIVATE, CHECK): "is cut off or damaged; give the whole file",
    armoured(raw(PRIVATE) + b"\0"): "is cut off or damaged; give the whole file",
    other(PRIVATE, b"openssh-key-v1", b"openssh-key-v2"): "is cut off or damaged; give the whole file",
    other(PRIVATE, b"ssh-ed25519", b"ssh-ed25518"): "is cut off or damaged; give the whole file",
    other(
        other(PRIVATE, b"ssh-ed25519", b"ssh-ed25518"), b"ssh-ed25519", b"ssh-ed25518"
    ): "is of a type that a host",
}


@pytest.mark.parametrize(("key", "text"), WRONG.items(), ids=range(len(WRONG)))
def test_what_is_no_usable_key_is_refused_and_not_told(key: str, text: str) -> None:
    with pytest.raises(InputError) as caught:
        machines.normalise([given_to(NUC1, key)])
    (fault,) = caught.value.faults
    assert fault.startswith(f"machine nuc1: netboot_ssh_host_key: {text}")
    assert not any(len(line) > 20 and line in fault for line in key.splitlines())


def test_settings_that_do_not_go_together_are_refused() -> None:
    for settings, text in (
        ({"ssh_host_key": PRIVATE}, "netboot_ssh_host_key: is not used; say netboot_host_keys: controller"),
        ({"host_keys": "server"}, "netboot_host_keys: 'server' is not one of machine, controller"),
    ):
        with pytest.raises(InputError) as caught:
            machines.normalise([{**NUC1, **settings}])
        assert caught.value.faults[0].startswith(f"machine nuc1: {text}")
    own = {"user-data": {"ssh_keys": {"rsa_private": "x"}}}
    with pytest.raises(InputError) as caught:
        seeds.files(machines.normalise([{**given_to(NUC1, PRIVATE), "autoinstall_site": own}]))
    assert caught.value.faults == [
        "machine nuc1: netboot_autoinstall_site: user-data.ssh_keys: does not go with netboot_host_keys: controller; "
        "remove one of them"
    ]


@given(st.binary(max_size=300) | st.binary(max_size=300).map(lambda data: b"openssh-key-v1\0" + data))
def test_any_text_is_a_key_or_refused(data: bytes) -> None:
    try:
        assert ssh_keys.host_key(host_keys.public(armoured(data)))
    except ValueError as error:
        assert "make one" in str(error) or "take it away" in str(error)
