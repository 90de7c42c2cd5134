# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kernel says of transfers that go on."""

from __future__ import annotations

import shutil
import socket
import threading
import time

import pytest
from ansible_collections.homelab.netboot.plugins.module_utils._program import transfers

#: Of iproute2 6.1; the second connection is idle, the third has sent nothing.
SAID = """\
0      87600  192.168.1.50:80 192.168.1.32:43904
\t bbr wscale:10,10 rto:204 bytes_sent:3000000 bytes_retrans:1448 bytes_acked:2912400 segs_out:63 lastrcv:332
0      0      192.168.1.50:80 192.168.1.32:43901
\t cubic wscale:10,10 rto:204 bytes_sent:9000000 bytes_acked:9000000 segs_out:63 lastsnd:30312 lastrcv:30332
0      0      192.168.1.50:80 192.168.1.33:43902
\t cubic wscale:10,10 rto:204 mss:1448 lastsnd:10 lastrcv:10
0      0      [::ffff:192.168.1.50]:80 [::ffff:192.168.1.34]:43903
\t cubic rto:204 bytes_acked:7 lastsnd:10
"""


def test_busy_connections_count_by_address() -> None:
    assert transfers.read(SAID) == {"192.168.1.32": 2912400, "192.168.1.34": 7}
    assert transfers.read("what ss does not say\n") == {}


@pytest.mark.skipif(shutil.which("ss") is None, reason="needs ss, of iproute2")
def test_the_kernel_counts_a_transfer_while_it_goes_on() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client, server.accept()[0] as sender:

            def receive() -> None:
                got = 0
                while got < 3_000_000:
                    got += len(client.recv(1 << 16))

            reader = threading.Thread(target=receive)
            reader.start()
            sender.sendall(bytes(3_000_000))
            reader.join()
            deadline = time.monotonic() + 5
            while transfers.ask("127.0.0.1", port) != {"127.0.0.1": 3_000_000}:
                assert time.monotonic() < deadline, transfers.ask("127.0.0.1", port)
            assert transfers.ask("127.0.0.2", port) == {}
