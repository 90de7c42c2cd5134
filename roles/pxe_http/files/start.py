# SPDX-License-Identifier: GPL-3.0-or-later
"""Become nginx, with its sockets open: start.py CONFIGURATION ADDRESS:PORT…

nginx itself does not start where an address is not there yet, as that of a VLAN that comes up later. Then it serves no
other network either. The kernel lets a socket wait for its address (ip(7), IP_FREEBIND), which nginx does not ask for.
But it takes over sockets that are open already, as it does when its program is changed under way (nginx, in
src/core/nginx.c: ngx_add_inherited_sockets).
"""

from __future__ import annotations

import os
import socket
import sys

NGINX = "/usr/sbin/nginx"
#: Python's module does not name it (linux/in.h).
IP_FREEBIND = 15
#: As nginx has it (NGX_LISTEN_BACKLOG).
BACKLOG = 511


def ear(place: str) -> int:
    """A socket that listens at ADDRESS:PORT, whether the address is there or not."""
    address, _colon, port = place.partition(":")
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    found.setsockopt(socket.IPPROTO_IP, IP_FREEBIND, 1)
    found.bind((address, int(port)))
    found.listen(BACKLOG)
    found.setblocking(False)
    found.set_inheritable(True)
    return found.detach()


def main(configuration: str, *places: str) -> None:
    """Open them, and go over to nginx."""
    ears = []
    for place in places:
        try:
            ears.append(ear(place))
        except OSError as error:
            raise SystemExit(f"cannot listen at {place}: {error.strerror or error}") from None
    os.environ["NGINX"] = "".join(f"{number};" for number in ears)
    os.execv(NGINX, [NGINX, "-c", configuration, "-g", "daemon off;"])  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main(*sys.argv[1:])
