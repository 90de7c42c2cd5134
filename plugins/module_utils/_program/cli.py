# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""netboot: who is to be installed. See `netboot --help`."""

from __future__ import annotations

import argparse
import json
import shutil
import sys

# Python compiles what it imports each time, as root keeps no bytecode in /usr/local: what few commands need is imported
# where they begin, so that a report of a machine costs a third less.
from . import contract, listing, wake
from .plan import RefusedError
from .server import Server
from .settings import Settings

SETTINGS = "/etc/netboot/netboot.json"


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(
        prog="netboot", description="Who is to be installed at the next network boot."
    )
    top.add_argument("--settings", default=SETTINGS, help=f"settings, as JSON (default {SETTINGS})")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("publish", help="bring what is served in line with the plan and the states")
    for command, text in (("arm", "install at the next network boot"), ("disarm", "boot the local disk")):
        one = commands.add_parser(command, help=text)
        one.add_argument("name", nargs="+", help="machine")
    status = commands.add_parser("status", help="tell the states")
    status.add_argument("--json", action="store_true", help="for programs")
    status.add_argument("name", nargs="*", help="machine (default: all)")
    why = commands.add_parser("why", help="tell how far machines came, and what keeps them from going on")
    why.add_argument("--json", action="store_true", help="for programs")
    why.add_argument("name", nargs="+", help="machine, or a MAC address")
    watch = commands.add_parser(
        "watch", help="tell what machines do until they are installed or failed; 1 when one failed"
    )
    watch.add_argument("--json", action="store_true", help="look once, for programs")
    watch.add_argument(
        "--until-up", action="store_true", help="with --json: installed machines go on until they are up"
    )
    watch.add_argument(
        "--since", type=float, help="with --json: tell events from here on, in seconds since 1970"
    )
    watch.add_argument("name", nargs="*", help="machine (default: all that are armed or installing)")
    doctor = commands.add_parser("doctor", help="ask this server as machines do; 1 when something is wrong")
    doctor.add_argument("--json", action="store_true", help="for programs")
    which = doctor.add_mutually_exclusive_group()
    which.add_argument(
        "--ask", action="store_true", help="tell what another host is to ask this server, as JSON"
    )
    which.add_argument(
        "--answers", action="store_true", help="judge what another host heard, as JSON on standard input"
    )
    switch = commands.add_parser("wake", help="switch on by Wake-on-LAN, where the machine is set up for it")
    switch.add_argument("name", nargs="+", help="machine")
    commands.add_parser("reports", help="take what the machines reported, and who fetched user-data")
    commands.add_parser("expire", help="withdraw user-data that was handed out long ago; read the logs")
    commands.add_parser("page", help="write the status page and the metrics, where something has changed")
    return top


def main(argv: list[str] | None = None) -> int:
    """Run one command; 1 when it cannot be done, with the reason on standard error."""
    given = parser().parse_args(argv)
    try:
        settings = Settings.load(given.settings)
        if given.command in ("status", "why", "doctor", "wake"):
            return ask(settings, given)
        if given.command == "page":
            refresh(settings)
            return 0
        return watch(settings, given) if given.command == "watch" else act(settings, given)
    except RefusedError as error:
        sys.stderr.write(f"netboot {given.command}: {error}\n")
        return 1
    except OSError as error:
        sys.stderr.write(
            f"netboot {given.command}: {_place(error)}: {error.strerror}; run it again when that is mended\n"
        )
        return 1


def ask(settings: Settings, given: argparse.Namespace) -> int:
    """A command that changes nothing here; 1 when it found something wrong."""
    is_wrong = False
    if given.command == "wake":
        machines = listing.chosen(settings, given.name)
        wake.send(machine.mac for machine in machines if machine.mac != contract.ANY)
        return 0
    if given.command == "doctor":
        told, is_wrong = examined(settings, given)
    elif given.command == "why":
        from .why import asking  # noqa: PLC0415

        told = asking.tell(settings, given.name, as_json=given.json)
    else:
        told = listing.tell(settings, given.name, as_json=given.json)
    say(told)
    return int(is_wrong)


def examined(settings: Settings, given: argparse.Namespace) -> tuple[str, bool]:
    """What a doctor says, this server's or another host's, and whether something is wrong."""
    from .doctor import examining  # noqa: PLC0415

    if given.ask:
        return examining.ask_abroad(settings), False
    if not given.answers:
        return examining.tell(settings, as_json=given.json)
    try:
        return examining.tell_abroad(settings, sys.stdin.read(), as_json=given.json)
    except ValueError as error:
        raise RefusedError(str(error)) from error


def watch(settings: Settings, given: argparse.Namespace) -> int:
    """Until machines are installed or failed, or somebody has seen enough; 1 when one failed, with what is wrong."""
    from . import watching  # noqa: PLC0415
    from .why import asking  # noqa: PLC0415

    if given.json:
        now = watching.look(settings, given.name, given.since, until_up=given.until_up)
        why = asking.tell(settings, now.failed, as_json=False) if now.failed else ""
        say(json.dumps({**now.plain(), "why": why}))
        return 0
    if not given.name and not watching.look(settings, []).rows:
        say("No machine is armed or installing. To see one that is not, name it: netboot watch NAME")
        return 0
    screen = watching.Screen(write, sys.stdout.isatty(), shutil.get_terminal_size((100, 24)).columns)
    try:
        failed = watching.follow(settings, given.name, screen)
    except KeyboardInterrupt:
        return 130  # as a shell says it of SIGINT
    if failed:
        say("\n" + asking.tell(settings, failed, as_json=False))
    return int(bool(failed))


def write(text: str) -> None:
    """A piece of text, at once."""
    sys.stdout.write(text)
    sys.stdout.flush()


def act(settings: Settings, given: argparse.Namespace) -> int:
    """A command that changes something; its exit status."""
    told = ""
    with Server(settings, say, needs_plan=given.command not in ("reports", "expire")) as server:
        if given.command in ("arm", "disarm"):
            getattr(server, given.command)(given.name)
        elif given.command == "reports":
            server.drain()
        else:
            getattr(server, given.command)()
        if given.command in ("publish", "arm", "disarm"):
            told = json.dumps({"changed": server.changed, "armed": server.armed()})
    if given.command == "publish":
        show(settings)
    if told:
        say(told)
    if given.command == "expire":
        with listing.kept(settings) as stories:
            stories.refresh()
        if stories.error:
            raise stories.error
    return int(server.failed)


def refresh(settings: Settings) -> None:
    """The page and the metrics."""
    from .page import writing  # noqa: PLC0415

    writing.refresh(settings)


def show(settings: Settings) -> None:
    """The same, as far as that is possible: machines are installed without them."""
    try:
        refresh(settings)
    except OSError as error:
        say(f"status page and metrics: {_place(error)}: {error.strerror}; tried again when that is mended")


def _place(error: OSError) -> str:
    return str(error.filename2 or error.filename or "a file")


def say(text: str) -> None:
    """One line, for whoever called or for the journal."""
    write(text + "\n")
