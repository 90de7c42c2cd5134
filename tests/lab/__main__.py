# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m tests.lab COMMAND: see --help."""

from __future__ import annotations

import argparse
import json
import os
import sys
from ipaddress import IPv4Network
from pathlib import Path

from . import image, install, lan, server
from .common import LabError, need_root, say


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    top = argparse.ArgumentParser(prog="python -m tests.lab", description="The test lab of homelab.netboot.")
    commands = top.add_subparsers(dest="command", required=True)
    commands.add_parser("setup", help="install the Debian packages that the lab needs")

    servers = commands.add_parser("server", help="a server in a container").add_subparsers(
        dest="do", required=True
    )
    up = servers.add_parser("up", help="make and start it; prints what Ansible needs as JSON")
    up.add_argument("name")
    up.add_argument("--suite", choices=image.SUITES, default="bookworm")
    up.add_argument("--lan", help="connect it to this boot network (made when missing)")
    up.add_argument("--address", help="its address there, as 192.168.1.50/24; default: .50 of the network")
    again = servers.add_parser("restart", help="let it shut down and start again")
    again.add_argument("name")
    down = servers.add_parser("down", help="remove it")
    down.add_argument("name")

    lans = commands.add_parser("lan", help="a boot network with its router").add_subparsers(
        dest="do", required=True
    )
    up = lans.add_parser("up", help="make it")
    up.add_argument("name")
    up.add_argument("--subnet", type=IPv4Network, help="default: 192.168.1.0/24, or a free one")
    down = lans.add_parser("down", help="remove it and end what runs in it")
    down.add_argument("name")
    inside = lans.add_parser("exec", help="run a command in it, as a device on this network would")
    inside.add_argument("name")
    inside.add_argument("argv", nargs=argparse.REMAINDER)

    show = commands.add_parser("demo", help="watch a machine being installed in a home network on this host")
    show.add_argument("--suite", choices=image.SUITES, default="bookworm", help="of the server")
    show.add_argument("--iso", type=Path, help="a real Ubuntu live-server ISO instead of the lab's small one")
    making = commands.add_parser("iso", help="make an ISO in the shape of Ubuntu's live-server ISO")
    making.add_argument("out", type=Path)
    making.add_argument("--full", action="store_true", help="with cloud-init and an installer")
    images = commands.add_parser("image", help="make a container image unless it is there")
    images.add_argument("suite", choices=image.SUITES)
    everything = commands.add_parser("down", help="remove all servers and networks of the lab")
    everything.add_argument("--all", action="store_true", required=True)
    return top


def server_command(args: argparse.Namespace) -> None:
    """server up, server restart, server down."""
    if args.do in ("up", "restart"):
        made = (
            server.restart(args.name)
            if args.do == "restart"
            else server.up(args.name, args.suite, args.lan, args.address)
        )
        print(json.dumps(made.ansible_vars(), indent=2))
    else:
        server.down(args.name)


def lan_command(args: argparse.Namespace) -> None:
    """lan up, lan down, lan exec."""
    if args.do == "up":
        print(json.dumps({"name": args.name, "subnet": str(lan.up(args.name, args.subnet).subnet)}))
    elif args.do == "down":
        lan.down(args.name)
    else:
        argv = args.argv[1:] if args.argv[:1] == ["--"] else args.argv
        os.execvp("ip", ["ip", "netns", "exec", lan.find(args.name).namespace, *argv])  # noqa: S606


def built_on_pycdlib(args: argparse.Namespace) -> None:
    """demo and iso: they need the Python packages of .venv, which do not exist yet when `setup` runs."""
    if args.command == "demo":
        from . import demo  # noqa: PLC0415

        demo.demo(args.suite, args.iso)
    else:
        from . import iso  # noqa: PLC0415

        iso.copy_to(args.out, args.full)


def main() -> int:
    """Run one command; an error is one clear message and exit code 1."""
    args = parser().parse_args()
    try:
        if args.command == "setup":
            install.setup()
            return 0
        need_root()
        if args.command == "server":
            server_command(args)
        elif args.command == "lan":
            lan_command(args)
        elif args.command in ("demo", "iso"):
            built_on_pycdlib(args)
        elif args.command == "image":
            print(image.ensure(args.suite))
        elif args.command == "down":
            server.down_all()
    except LabError as error:
        say(f"lab: {error}")
        return 1
    except KeyboardInterrupt:
        say("lab: interrupted")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
