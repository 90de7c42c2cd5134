# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.homelab.netboot.plugins.plugin_utils import _mac
from hypothesis import given
from hypothesis import strategies as st

# any six bytes whose first is even: an individual address, and not the null one
BYTES = st.tuples(st.integers(1, 127).map(lambda n: 2 * n), *[st.integers(0, 255)] * 5)
NOTATIONS = {
    "colons": lambda b: ":".join(f"{n:02x}" for n in b),
    "dashes": lambda b: "-".join(f"{n:02x}" for n in b),
    "dots": lambda b: ".".join(f"{b[i]:02x}{b[i + 1]:02x}" for i in (0, 2, 4)),
    "bare": lambda b: "".join(f"{n:02x}" for n in b),
}


@given(BYTES, st.sampled_from(sorted(NOTATIONS)), st.booleans())
def test_every_usual_notation_means_the_same(octets: tuple[int, ...], notation: str, upper: bool) -> None:
    text = NOTATIONS[notation](octets)
    assert _mac.normalise(text.upper() if upper else text) == NOTATIONS["colons"](octets)


@given(BYTES)
def test_pxelinux_asks_for_the_type_and_dashes(octets: tuple[int, ...]) -> None:
    assert _mac.pxelinux_name(NOTATIONS["colons"](octets)) == "01-" + NOTATIONS["dashes"](octets)


@given(st.text(max_size=20))
def test_no_text_is_taken_for_another_address(text: str) -> None:
    try:
        mac = _mac.normalise(text)
    except ValueError as error:
        assert repr(text)[1:-1] in repr(str(error))
        assert _mac.EXAMPLE in str(error)
    else:
        assert [c for c in text.lower() if c.isalnum()] == [c for c in mac if c != ":"]


@pytest.mark.parametrize(
    "text", ["f4:4d:30-60:64:69", "f4:4d:30:60:64", "f4:4d:30:60:64:6g", "", "f44d30.606469"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a MAC address"):
        _mac.normalise(text)


@pytest.mark.parametrize("text", ["ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01", "00:00:00:00:00:00"])
def test_what_no_card_can_have_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a network card's"):
        _mac.normalise(text)


def test_a_number_is_explained() -> None:
    # 52:54:00:12:34:56 without quotes, as YAML 1.1 reads it
    with pytest.raises(ValueError, match="put it in quotes"):
        _mac.normalise(41133319856)
