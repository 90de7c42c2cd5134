# SPDX-License-Identifier: GPL-3.0-or-later
"""The sockets with which nginx starts: also at addresses that are not there yet."""

from __future__ import annotations

import importlib.util
import os
import socket
from pathlib import Path

import pytest

START = Path(__file__).parents[2] / "roles/pxe_http/files/start.py"
_SPEC = importlib.util.spec_from_file_location("start", START)
assert _SPEC
assert _SPEC.loader
start = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(start)
#: For documentation (RFC 5737): nobody has it.
NOWHERE = "192.0.2.77"


def test_it_listens_at_an_address_that_is_not_there_yet() -> None:
    with socket.socket() as plain, pytest.raises(OSError, match="Cannot assign requested address"):
        plain.bind((NOWHERE, 0))
    with socket.socket(fileno=start.ear(f"{NOWHERE}:0")) as ear:
        assert ear.getsockname()[0] == NOWHERE
        assert ear.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 1
        assert not os.get_blocking(ear.fileno()), "nginx's workers would wait for each other"
        assert ear.get_inheritable()


def test_a_port_that_is_held_is_named() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        place = f"127.0.0.1:{holder.getsockname()[1]}"
        with pytest.raises(SystemExit, match=f"cannot listen at {place}: Address already in use"):
            start.main("/nowhere/nginx.conf", place)
