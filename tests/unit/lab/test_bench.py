# SPDX-License-Identifier: GPL-3.0-or-later
"""The measures themselves: TFTP's packets, a file which did not come whole, what is counted, what is missed."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import sys
import threading
import time

import pytest

from tests.bench import Row, machines, transfers
from tests.bench.clients import BLKSIZE, Download, Result, tftp
from tests.lab.common import LabError

OACK = b"\0\6blksize\0001408\0"


def data(block: int, size: int) -> bytes:
    """A DATA packet."""
    return struct.pack("!HH", 3, block & 0xFFFF) + bytes(size)


def test_a_file_comes_block_by_block() -> None:
    download = Download("a/b")
    assert download.request() == b"\0\1a/b\0octet\0blksize\0001408\0"
    assert download.feed(OACK) == b"\0\4\0\0"
    assert download.feed(data(1, BLKSIZE)) == b"\0\4\0\1"
    assert download.feed(data(1, BLKSIZE)) == b""  # twice: not counted, not answered
    assert not download.done
    assert download.feed(data(2, 0)) == b"\0\4\0\2"  # the size was a multiple of the block's
    assert (download.done, download.size) == (True, BLKSIZE)


def test_block_numbers_wrap() -> None:
    download = Download("big", block=65535, blksize=BLKSIZE)
    assert download.feed(data(65536, BLKSIZE)) == b"\0\4\0\0"
    assert download.feed(data(65537, 7)) == b"\0\4\0\1"
    assert (download.done, download.size) == (True, BLKSIZE + 7)


def test_without_the_option_blocks_have_512_bytes() -> None:
    download = Download("old")
    download.feed(data(1, 512))
    assert not download.done
    download.feed(data(2, 511))
    assert download.done


def test_an_error_ends_it() -> None:
    download = Download("none")
    assert download.feed(b"\0\5\0\1file not found\0") == b""
    assert (download.error, download.done) == ("file not found", False)


def test_clients_fetch_from_a_server_that_refuses_every_second() -> None:
    """By real sockets: the port changes after the request, as RFC 1350 has it."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.bind(("127.0.0.1", 0))

    def serve() -> None:
        for number in range(4):
            peer = listener.recvfrom(2048)[1]
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mine:
                mine.settimeout(5)
                if number % 2:
                    mine.sendto(b"\0\5\0\1no\0", peer)
                    continue
                for packet in (OACK, data(1, BLKSIZE), data(2, 10)):
                    mine.sendto(packet, peer)
                    mine.recv(2048)

    thread = threading.Thread(target=serve)
    thread.start()
    result = tftp("127.0.0.1", {"file": BLKSIZE + 10}, 4, 1, listener.getsockname()[1])
    thread.join()
    listener.close()
    assert sorted(result.sizes) == [0, 0, BLKSIZE + 10, BLKSIZE + 10]
    assert result.failed == [f"file: 0 of {BLKSIZE + 10} bytes no"] * 2


@pytest.mark.parametrize(
    ("sizes", "expected"), [([5, 5], None), ([5], "1 of 2 files came"), ([5, 4], "x: 4 of 5 bytes")]
)
def test_a_missing_or_short_file_fails_the_measure(sizes: list[int], expected: str | None) -> None:
    result = Result(1.0, [], [])
    for size in sizes:
        result.add("x", size, 5)
    if expected is None:
        transfers.check(result, 2)
    else:
        with pytest.raises(LabError, match=expected):
            transfers.check(result, 2)


def test_a_row_is_the_pair_of_median_ratio_and_the_first_is_not_counted() -> None:
    ours, other = iter([100.0, 1.0, 30.0, 6.0]), iter([1.0, 4.0, 10.0, 3.0])
    found = transfers.pairs(3, lambda: next(ours), lambda: next(other), "s")
    row = transfers.median_row("x", found, "s", "", at_most=2)
    assert (row.ours, row.other, row.ratio) == (6.0, 3.0, 2.0)


@pytest.mark.parametrize(
    ("ours", "at_least", "at_most", "missed"),
    [
        (1.0, 0.0, 1.0, ""),
        (1.5, 0.0, 1.0, "the ratio is 1.5, expected at most 1"),
        (99.0, 100.0, 1e9, "the ratio is 99, expected at least 100"),
    ],
)
def test_a_measure_that_is_missed_says_so(ours: float, at_least: float, at_most: float, missed: str) -> None:
    assert Row("x", ours, 1.0, "s", "", at_most=at_most, at_least=at_least).missed == missed


def test_a_measure_without_a_limit_is_refused() -> None:
    with pytest.raises(ValueError, match="x has no limit"):
        Row("x", 1.0, 1.0, "s", "")


def test_machines_of_the_measures_are_all_different() -> None:
    hosts = machines.inventory(70_000)["netboot_machines"]["hosts"]  # beyond two bytes
    assert len({host["netboot_mac"] for host in hosts.values()}) == len(hosts) == 70_000


def test_memory_of_children_of_children_counts() -> None:
    """A shell that starts a program which takes 80 MB, tells so, and waits."""
    program = "data = b'x' * 80_000_000; print('there', flush=True); input()"
    with machines.watched(0.02) as peak:
        process = subprocess.Popen(
            ["sh", "-c", f'"{sys.executable}" -c "{program}"; true'],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "there\n"
        assert len(machines.descendants(os.getpid())) >= 2
        time.sleep(0.5)  # it is looked at every 0.02 s
        process.communicate("\n")
    assert 80e6 < peak[0] < 200e6
