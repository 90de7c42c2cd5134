# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's subnet never stands before the host's own networks."""

from __future__ import annotations

from ipaddress import IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.lab.addresses import candidates, free_subnet, nameservers, networks_of

NUMBERS, BITS = st.integers(0, 2**24 - 1), st.integers(20, 32)
NETWORKS = st.lists(
    st.builds(lambda number, bits: IPv4Network((number << 8, bits), strict=False), NUMBERS, BITS)
)


def test_the_wanted_one_where_nothing_is_in_its_way() -> None:
    assert free_subnet([IPv4Network("10.0.0.0/8"), IPv4Network("192.168.0.0/24")]) == IPv4Network(
        "192.168.1.0/24"
    )


@pytest.mark.parametrize("taken", ["192.168.1.0/24", "192.168.1.1/32", "192.168.0.0/23"])
def test_another_where_the_host_is_in_it(taken: str) -> None:
    assert free_subnet([IPv4Network(taken)]) == IPv4Network("192.168.111.0/24")


@given(NETWORKS)
def test_never_one_that_overlaps(taken: list[IPv4Network]) -> None:
    assert not any(free_subnet(taken).overlaps(other) for other in taken)


def test_none_left() -> None:
    with pytest.raises(ValueError, match="no free"):
        free_subnet(list(candidates()))


def test_what_ip_prints() -> None:
    shown = [
        {"ifname": "lo", "addr_info": [{"family": "inet", "local": "127.0.0.1", "prefixlen": 8}]},
        {"ifname": "eth0", "addr_info": [{"family": "inet", "local": "192.168.1.20", "prefixlen": 24}, {}]},
        {},
    ]
    assert networks_of(shown) == [IPv4Network("127.0.0.0/8"), IPv4Network("192.168.1.0/24")]


def test_name_servers() -> None:
    text = "# nameserver 1.1.1.1\nsearch lan\nnameserver 192.168.1.1\nnameserver fe80::1%eth0\nnameserver\n"
    assert nameservers(text) == [IPv4Network("192.168.1.1/32")]
