# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose a line is, by what the server itself writes down."""

from __future__ import annotations

import pytest
from ansible_collections.homelab.netboot.plugins.module_utils._program.events import dnsmasq, joining, nginx
from ansible_collections.homelab.netboot.plugins.module_utils._program.events.event import (
    LEASE,
    Event,
    Record,
)
from ansible_collections.homelab.netboot.plugins.module_utils._program.events.joining import Joiner
from ansible_collections.homelab.netboot.plugins.module_utils._program.events.story import EVENTS, boots, tell

A, B, C = (f"52:54:00:00:00:0{n}" for n in "abc")
ROOT = "/srv/netboot/tftp"


def dns(when: float, text: str, part: str = "dhcp") -> str:
    return f"{when:.6f} server dnsmasq-{part}[7]: {text}"


def offer(when: float, mac: str, exchange: int = 1) -> list[str]:
    return [
        dns(when, f"{exchange} vendor class: PXEClient:Arch:00007:UNDI:003000"),
        dns(when, f"{exchange} PXE(lan0) {mac} proxy"),
        dns(when, f"{exchange} bootfile name: efi/shimx64.efi"),
    ]


def sent(when: float, address: str, path: str) -> str:
    return dns(when, f"sent {ROOT}/{path} to {address}", "tftp")


def got(when: float, address: str, path: str, status: int = 200) -> str:
    return f'x {when:.3f} {address} "GET {path} HTTP/1.1" {status} 5 0.0 "agent"'


def told(texts: list[str], joiner: Joiner | None = None) -> list[Event]:
    joiner = joiner or Joiner({A: "a"}, ROOT)
    records = [record for record in (dnsmasq.read(text) or nginx.read(text) for text in texts) if record]
    return [event for record in records for event in joiner.feed(record)]


def names(events: list[Event], mac: str) -> list[str]:
    return [event.name for event in events if event.mac == mac and event.address]


def test_an_address_that_another_machine_has_now_is_not_the_firsts() -> None:
    first = [
        *offer(1, A),
        sent(2, "10.0.0.5", "efi/shimx64.efi"),
        sent(3, "10.0.0.5", f"grub/machines/{A}.cfg"),
    ]
    second = [
        *offer(500, B),
        sent(502, "10.0.0.5", "efi/shimx64.efi"),
        got(503, "10.0.0.5", "/images/x/vmlinuz"),
    ]
    events = told([*first, *second])
    assert names(events, A) == ["efi/shimx64.efi", f"grub/machines/{A}.cfg"]
    assert names(events, B) == ["efi/shimx64.efi", "/images/x/vmlinuz"]


def test_a_machine_that_starts_again_keeps_its_address() -> None:
    once = [*offer(1, A), sent(2, "10.0.0.5", "efi/shimx64.efi")]
    again = [*offer(90, A, 2), sent(92, "10.0.0.5", "efi/shimx64.efi")]
    assert len(names(told([*once, *again]), A)) == 2


def test_firmware_that_asks_without_an_address_is_known_once_it_names_itself() -> None:
    texts = [*offer(1, A), *offer(1.1, B, 2), sent(2, "10.0.0.6", "efi/shimx64.efi")]
    joiner = Joiner({}, ROOT)
    assert names(told(texts, joiner), A) == []  # it may be either's
    later = told([sent(3, "10.0.0.6", f"grub/machines/{B}.cfg")], joiner)
    assert names(later, B) == ["efi/shimx64.efi", f"grub/machines/{B}.cfg"]
    # now only one is left
    assert names(told([sent(4, "10.0.0.7", "efi/shimx64.efi")], joiner), A) == ["efi/shimx64.efi"]


def test_the_live_system_may_have_another_address() -> None:
    texts = [
        *offer(1, A),
        sent(2, "10.0.0.5", f"grub/machines/{A}.cfg"),
        got(3, "10.0.0.5", "/images/x/initrd"),
    ]
    events = told(
        [*texts, got(40, "10.0.0.99", "/images/x/x.iso"), got(41, "10.0.0.99", "/machines/a/-/user-data")]
    )
    assert names(events, A)[-2:] == ["/images/x/x.iso", "/machines/a/-/user-data"]


def test_an_acknowledgement_tells_its_own_machines_loader_also_where_another_chose_its_number() -> None:
    here, there = "efi/shimx64.efi", "http://10.0.1.1/efi/shimx64.efi"
    texts = [
        dns(1, "7 vendor class: HTTPClient:Arch:00016:UNDI:003000"),
        dns(1, f"7 DHCPOFFER(lan1) 10.0.1.5 {B}"),
        dns(1, f"7 bootfile name: {there}"),
        *offer(1.1, A, 7),
        dns(1.2, "7 vendor class: HTTPClient:Arch:00016:UNDI:003000"),
        dns(1.2, f"7 DHCPACK(lan1) 10.0.1.5 {B}"),
        dns(1.2, f"7 bootfile name: {there}"),
        dns(1.3, f"7 PXE(lan0) 10.0.0.5 {A} {here}"),
        dns(1.3, f"7 bootfile name: {here}"),
    ]
    loaders = [(event.mac, event.name) for event in told(texts) if event.kind == "loader"]
    assert loaders == [(B, there), (A, here), (B, there), (A, here), (A, here)]


def test_what_dhcp_says_goes_before_all() -> None:
    joiner = Joiner({}, ROOT)
    told([*offer(1, A), *offer(1, B, 2)], joiner)
    assert joiner.feed(Record(2, LEASE, mac=A, address="10.0.0.5")) == []
    assert names(told([sent(3, "10.0.0.5", "efi/shimx64.efi")], joiner), A) == ["efi/shimx64.efi"]


def test_a_machine_nobody_answered_is_told_without_a_mac() -> None:
    asks = dns(1, "9 vendor class: HTTPClient:Arch:00016:UNDI:003000")
    events = told([asks, dns(2, "8 vendor class: udhcp 1.35.0"), sent(3, "10.0.0.5", "x")])
    assert [(event.kind, event.mac, event.name[:10]) for event in events] == [
        ("unanswered", "", "HTTPClient")
    ]


def test_a_file_whose_transfer_is_broken_off_is_not_told_as_sent() -> None:
    stop = dns(2, "error 8 User aborted the transfer received from 10.0.0.5", "tftp")
    texts = [dns(1, f"0 PXE(lan0) 10.0.0.5 {A} lpxelinux.0"), stop, sent(2, "10.0.0.5", "lpxelinux.0")]
    assert [event.kind for event in told(texts)] == ["loader", "stopped"]


def test_a_flood_of_strangers_needs_little_memory() -> None:
    joiner = Joiner({}, ROOT)
    for number in range(10_000):
        mac = f"02:00:00:00:{number >> 8:02x}:{number & 255:02x}"
        told(
            [
                *offer(number / 100, mac, number),
                sent(number / 100, f"10.0.{number >> 8}.{number & 255}", "x"),
            ],
            joiner,
        )
    assert len(joiner.offered) <= joining.MANY
    assert len(joiner.owners) <= joining.ADDRESSES
    assert len(joiner.waiting) <= joining.WAITING


def test_what_it_remembers_survives() -> None:
    joiner = Joiner({}, ROOT)
    told([*offer(1, A), *offer(1.1, B, 2), sent(2, "10.0.0.6", "efi/shimx64.efi")], joiner)
    other = Joiner({}, ROOT)
    other.load(joiner.dump())
    assert names(told([sent(3, "10.0.0.6", f"grub/machines/{B}.cfg")], other), B)[0] == "efi/shimx64.efi"


def test_a_story_is_bounded_and_asking_without_end_does_not_push_it_out() -> None:
    before = told([*offer(1, A), sent(2, "10.0.0.5", f"grub/machines/{A}.cfg")])
    asked = list(told([line for n in range(2000) for line in offer(100 + 10 * n, A, n)]))
    kept = tell(before, asked)
    assert len(kept) < 10
    assert kept[: len(before)] == before
    assert kept[-1].time == asked[-1].time
    many = [before[-1]._replace(time=float(n)) for n in range(1000)]
    assert len(tell(before, many)) == EVENTS
    assert tell(kept, kept) == kept  # what is read twice is told once


def test_a_boot_begins_when_the_firmware_asks_anew() -> None:
    first = [*offer(1, A), *offer(5, A, 2), sent(6, "10.0.0.5", "efi/shimx64.efi")]
    second = [*offer(60, A, 3), sent(61, "10.0.0.5", "efi/shimx64.efi")]
    assert [len(boot) for boot in boots(told([*first, *second]))] == [5, 3]


@pytest.mark.parametrize(
    "text", ["", "noise", "1.0 h dnsmasq-dhcp[1]: ", 'x 1.0 1.2.3.4 "-" 400 0 0.0 "-"', "\x00"]
)
def test_noise_says_nothing(text: str) -> None:
    assert dnsmasq.read(text) is None
    assert nginx.read(text) is None


def given(
    when: float, mac: str, vendor: str = "PXEClient:Arch:00007:UNDI:003000", tags: str = ""
) -> list[str]:
    """What dnsmasq logs when it gives an address, and with it something to boot or not."""
    named = [] if "left" in tags or not vendor.startswith("PXE") else ["9 bootfile name: efi/shimx64.efi"]
    lines = []
    for asked, answered in (("DHCPDISCOVER(lan2)", "DHCPOFFER"), ("DHCPREQUEST(lan2) 10.0.0.7", "DHCPACK")):
        lines += [
            "9 available DHCP range: 10.0.0.7 -- 10.0.0.9",
            *([f"9 vendor class: {vendor}"] if vendor else []),
            f"9 {asked} {mac} ",
            f"9 tags: {tags}gives, lan2",
            f"9 {answered}(lan2) 10.0.0.7 {mac} ",
            *named,
        ]
    return [dns(when, line) for line in lines]


def test_who_is_given_an_address_and_a_loader_is_told_as_beside_a_router() -> None:
    events = told([*given(1, A), sent(2, "10.0.0.7", "efi/shimx64.efi")])
    assert {(event.mac, event.kind) for event in events} == {(A, "offer"), (A, "loader"), (A, "tftp")}
    assert [event.kind for event in tell([], events)][:2] == ["offer", "loader"]
    assert len(boots(tell([], events))) == 1


@pytest.mark.parametrize("vendor", ["", "udhcp 1.36"], ids=["says-nothing", "other-words"])
def test_an_address_alone_begins_no_boot_and_tells_whose_it_is(vendor: str) -> None:
    joiner = Joiner({A: "a"}, ROOT)
    told([*given(1, A), sent(2, "10.0.0.7", "efi/shimx64.efi")], joiner)
    assert told(given(90, A, vendor), joiner) == []
    assert names(told([got(91, "10.0.0.7", "/images/x/noble.iso")], joiner), A) == ["/images/x/noble.iso"]


def test_who_is_given_an_address_and_nothing_to_boot_was_not_answered() -> None:
    [event] = told([*given(1, B, tags="left, "), got(5, "10.0.0.7", "/")])[:1]
    assert (event.kind, event.mac, event.name) == ("unanswered", "", "PXEClient:Arch:00007:UNDI:003000")
    assert [one.kind for one in told(given(1, B, tags="left, "))] == ["unanswered"]
