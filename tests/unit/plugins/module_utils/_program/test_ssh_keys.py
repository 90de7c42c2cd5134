# SPDX-License-Identifier: GPL-3.0-or-later
"""Host keys as machines tell them: whole ones are taken, whatever else comes is not."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path
from urllib.parse import quote_plus, urlencode

import pytest
from ansible_collections.homelab.netboot.plugins.module_utils._program import ssh_keys
from hypothesis import given
from hypothesis import strategies as st

ED = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIZmxrFyf7PTkSFHHyVdmvXVDVHiAGZLqA6hZAZ0Zc5D"


def form(*values: str) -> str:
    return urlencode([(f"pub_key_{number}", value) for number, value in enumerate(values)])


def key(kind: str, *fields: bytes) -> str:
    parts = [kind.encode(), *fields]
    return (
        f"{kind} {base64.b64encode(b''.join(len(part).to_bytes(4, 'big') + part for part in parts)).decode()}"
    )


def test_what_ssh_keygen_makes_is_taken_without_its_comment(tmp_path: Path) -> None:
    made = []
    for kind, *more in (("rsa", "-b", "4096"), ("ecdsa",), ("ecdsa", "-b", "521"), ("ed25519",)):
        place = tmp_path / "".join((kind, *more))
        subprocess.run(
            ["ssh-keygen", "-q", "-t", kind, *more, "-N", "", "-C", "root@nuc1", "-f", str(place)], check=True
        )
        made.append(place.with_name(place.name + ".pub").read_text())
    told = form(*made) + "&hostname=nuc1&instance_id=x"
    assert ssh_keys.host_keys(told) == tuple(line.rpartition(" ")[0] for line in made)
    assert len(told) < ssh_keys.MOST * 1024


@pytest.mark.parametrize(
    "value",
    [
        *("N/A", "", "ssh-ed25519", "ssh-ed25519 ", ED[:-4], ED + "AAAA", ED.replace("AAAAC3", "AAAAC4")),
        *(
            ED.replace("ssh-ed25519", "ssh-rsa"),
            ED.replace("IIZ", "I\nIZ"),
            f'command="x" {ED}',
            f"@revoked * {ED}",
        ),
        *(key("ssh-dss", b"1", b"2", b"3", b"4"), key("ssh-ed25519", b""), key("ssh-ed25519", b"1", b"2")),
        *(
            key("sk-ssh-ed25519@openssh.com", b"1", b"ssh:"),
            "* " + ED,
            "ssh-ed25519 \u00e4\u00f6",
            "\0",
            "%00",
        ),
    ],
)
def test_what_is_no_whole_key_is_dropped_and_the_others_stay(value: str) -> None:
    assert ssh_keys.host_keys(form(value, ED)) == (ED,)


def test_other_fields_and_what_is_too_much_are_not_read() -> None:
    assert ssh_keys.host_keys(urlencode({"key": ED, "pub": ED, "hostname": ED})) == ()
    many = [key("ssh-ed25519", bytes([number + 1])) for number in range(20)]
    assert ssh_keys.host_keys(form(*many)) == tuple(many[: ssh_keys.MOST])
    assert ssh_keys.host_keys(form(ED, ED, f"{ED} other")) == (ED,)
    assert ssh_keys.host_keys(form(*["x"] * 40, ED)) == ()


@given(
    st.text()
    | st.lists(st.text(max_size=40)).map(lambda parts: "&".join(f"pub_key_x={quote_plus(p)}" for p in parts))
)
def test_any_text_is_read(text: str) -> None:
    for line in ssh_keys.host_keys(text):
        kind, dummy, data = line.partition(" ")
        assert kind in ssh_keys.HOST_TYPES
        assert base64.b64decode(data, validate=True)
