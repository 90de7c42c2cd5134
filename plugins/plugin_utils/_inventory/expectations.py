# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""What the inventory expects of a machine, so that no other one is installed in its place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ansible_collections.homelab.netboot.plugins.plugin_utils import _mac
from ansible_collections.homelab.netboot.plugins.plugin_utils._faults import suggest

#: What can be expected of a machine, and how it is written.
KEYS: Mapping[str, str] = {
    "disk_serial": "the serial number of one of its disks, as on its label; * stands for any text",
    "disk_model": "the model of one of its disks, as on its label; * stands for any text",
    "disk_size": "the size of one of its disks, such as 500G (2 % more or less), or a range such as 400G..600G",
    "mac": "the address of one of its network cards",
    "product": "its product name, as in /sys/class/dmi/id/product_name; * stands for any text",
    "product_serial": "its serial number, as in /sys/class/dmi/id/product_serial; * stands for any text",
}
_UNITS = {"M": 10**6, "G": 10**9, "T": 10**12, "MI": 2**20, "GI": 2**30, "TI": 2**40}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([MGT]I?)B?", re.IGNORECASE)
#: Makers round: a disk of "500 GB" has 500,107,862,016 bytes, the next usual size is 512 GB.
_TOLERANCE = Decimal("0.02")
# blkid(8) takes the label as it stands; longer ones than these 16 characters exist in no usual file system.
_LABEL = re.compile(r"[A-Za-z0-9._-]{1,16}")
_LONGEST = 100


def normalise(machine: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return what is expected of a machine, in plain types and one notation, and what is wrong with it.

    :param machine: its settings C(expect), any of L(KEYS), and C(protect_label).
    :return: a size is the least and the most number of bytes; faults begin with the setting's name.
    """
    expect = machine["expect"]
    faults = []
    if not isinstance(expect, Mapping):
        return {}, [f"expect: must be a mapping, such as {{disk_size: 500G}}; known are {', '.join(KEYS)}"]
    wanted: dict[str, Any] = {}
    for key, value in expect.items():
        try:
            if key not in KEYS:
                raise ValueError(f"no such expectation; {suggest(str(key), KEYS)}")
            wanted[key] = _value(key, value)
        except ValueError as error:
            faults.append(f"expect: {key}: {error}")
    label = machine["protect_label"]
    if label and not _LABEL.fullmatch(str(label)):
        faults.append(f"protect_label: '{label}' is not a label; use up to 16 letters, digits and . _ -")
    return wanted, faults


def _value(key: str, value: Any) -> Any:
    if key == "mac":
        return _mac.normalise(value)
    if key == "disk_size":
        return _size(value)
    text = str(value).strip()
    if not text or len(text) > _LONGEST or not text.isprintable():
        raise ValueError(f"'{text}' is not usable; write {KEYS[key]}")
    return text


def _size(value: Any) -> list[int]:
    """Return the least and the most number of bytes.

    Already normalised values pass, so that settings may be normalised twice.
    """
    if isinstance(value, list) and len(value) == 2 and all(isinstance(end, int) for end in value):  # noqa: PLR2004
        return value
    least, dots, most = str(value).partition("..")
    ends = [_bytes(least), _bytes(most if dots else least)]
    if not dots:
        ends = [ends[0] * (1 - _TOLERANCE), ends[1] * (1 + _TOLERANCE)]
    if ends[0] > ends[1]:
        raise ValueError(f"'{value}' ends before it begins")
    return [int(end) for end in ends]


def _bytes(text: str) -> Decimal:
    found = _SIZE.fullmatch(text.strip())
    if not found:
        raise ValueError(f"'{text}' is not a size; write {KEYS['disk_size']}")
    return Decimal(found.group(1)) * _UNITS[found.group(2).upper()]
