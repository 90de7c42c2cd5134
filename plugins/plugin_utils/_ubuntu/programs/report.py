# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell the server how the installation ended. Argument: installed or failed.

Whoever stops an installation on purpose leaves the file reason. Its first line is told to the server. The others become
the last thing on the machine's consoles ("> " before what is to be done), and the machine starts anew. Beside it lies
settings.json.

What the installer says of its end (canonical/subiquity, client/client.py): while error-commands run, on the first
screen and on each serial console what these say, and no more; a second after the last of them that an error occurred.
"""

import glob
import json
import os
import re
import subprocess
import sys
import textwrap
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
#: Bytes of the installer's logs that are told; what the server takes is a little more (pxe_http_report_size).
LOG_BYTES = 48_000
#: Seven tries in about two minutes.
PAUSES = (0, 1, 4, 10, 20, 40, 60)
#: Seconds that the installer has to say its last words, and people to read ours.
LAST_WORDS, READING = 5, 30
#: The installer speaks on the first screen, and on each serial console that the kernel names.
SCREEN, CONSOLES = "tty1", "/sys/class/tty/console/active"
#: Of a console, and the most lines of one paragraph: all of it must be seen at once.
WIDTH, LINES = 78, 6
#: Where the installer and the commands that it runs say what went wrong.
LOGS = "/var/log/installer"
JOURNAL = ["journalctl", "-q", "--no-pager", "-b", "-n", "400", "-o", "short"]
#: A step that failed, in Subiquity's log (curtin/reporter/events.py: FinishReportingEvent.as_string).
STEP = re.compile(r"finish: (?P<step>[^\s:]+): FAIL: (?P<error>\S.*)")
#: How Python writes a command that Subiquity ran for the user (subiquity/server/controllers/cmdlist.py).
USERS = re.compile(r"Command '\[(?:'systemd-cat'.*?, )?'sh', '-c', (?P<command>.*)\]' returned")
#: The last line of a program that curtin ran, and of a Python traceback.
CURTIN = re.compile(r"(?m)^ *Stderr: (?P<error>(?!''|-\s*$)\S.*)$")
RAISED = re.compile(r"(?m)^(?P<error>[A-Za-z_][\w.]*(?:Error|Exception|Exit)\w*: \S.*)$")
SAID = re.compile(r"(?m)subiquity_(?:log|echo)\.\d+\[\d+\]: (?P<text>.*)$")


def send(address: str, body: bytes) -> bool:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for pause in PAUSES:
        time.sleep(pause)
        try:
            direct.open(urllib.request.Request(address, body, method="PUT"), timeout=20)
            return True
        except Exception as error:
            print("netboot: the server was not told:", error, flush=True)
    return False


def tail(path: str, size: int) -> bytes:
    try:
        with open(path, "rb") as file:
            file.seek(-min(size, os.path.getsize(path)), 2)
            return file.read(size)
    except OSError as error:
        return str(error).encode()


def journal() -> str:
    """The end of the journal; nothing where there is none."""
    try:
        done = subprocess.run(
            JOURNAL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=20, check=False
        )
        return done.stdout.decode("utf-8", "replace")
    except (OSError, subprocess.SubprocessError):
        return ""


def last_words(said: str, command: str) -> str:
    """The last line that a command of the user's wrote, from the journal."""
    words, is_its = "", False
    for found in SAID.finditer(said):
        text = found["text"]
        if text.startswith("  running "):
            is_its = repr(text[len("  running ") :].strip()) == command
        elif is_its and text.strip():
            words = text.strip()
    return words


def cause(server: str, curtin: str, said: str) -> str:
    """The error behind a failure, from the installer's logs and the journal; nothing when they do not say.

    Of steps the innermost one fails first, and knows most; the others fail since it did.
    """
    steps = [found for found in STEP.finditer(server) if found["error"] != "cancelled"]
    error = steps[0]["error"] if steps else ""
    command = USERS.search(error)
    if command:
        words = last_words(said, command["command"])
        error = USERS.sub(lambda found: found["command"] + " returned", error) + (
            f" It said: {words}" if words else ""
        )
    elif CURTIN.search(curtin):
        error = [found["error"] for found in CURTIN.finditer(curtin)][-1]
    elif not error:
        error = ([""] + [found["error"] for found in RAISED.finditer(server)])[-1]
    step = f" at {steps[0]['step'].rpartition('/')[2]}" if steps and not command else ""
    return f"the installer failed{step}: {error}" if error else "the installer failed"


def found_cause(said: str) -> str:
    """The cause as one line without what could not be shown."""
    server, curtin = (
        tail(f"{LOGS}/{name}.log", LOG_BYTES * 20).decode("utf-8", "replace")
        for name in ("subiquity-server-debug", "curtin-install")
    )
    text = "".join(c if c.isprintable() else " " for c in cause(server, curtin, said))
    return text[:300]


def failure(reason: str, said: str) -> bytes:
    """The report: the reason, and the end of the journal and of each log."""
    logs = sorted(glob.glob(f"{LOGS}/*.log"))
    parts = [(path, tail(path, LOG_BYTES // (len(logs) + 1))) for path in logs]
    if said:
        parts.insert(0, (" ".join(JOURNAL), said.encode()[-LOG_BYTES // (len(logs) + 1) :]))
    return reason.encode() + b"\n" + b"".join(b"\n== " + name.encode() + b"\n" + text for name, text in parts)


def sign(lines: "list[str]", name: str, is_told: bool) -> str:
    """What a person before the machine is told, in a frame: the reason, what is to be done, what comes now."""
    ends = (
        "The server knows. This machine now starts anew."
        if is_told
        else "The server does not know: it did not answer. Switch this machine off."
    )
    parts = [f"netboot: {name} is NOT INSTALLED. Nothing was written to its disks.", *lines]
    parts += [f"More: ansible-playbook homelab.netboot.why -l {name}", ends]
    # a command is to be copied: none is parted at its hyphens
    wrapper = textwrap.TextWrapper(
        WIDTH,
        initial_indent="  ",
        subsequent_indent="  ",
        max_lines=LINES,
        placeholder=" ...",
        break_on_hyphens=False,
    )
    paragraphs = [wrapper.fill(re.sub("^> ", "What to do: ", part)) for part in parts]
    frame = "=" * WIDTH
    return "\n\n".join(["", frame, *paragraphs, frame, ""])


def consoles() -> "list[str]":
    """The first screen, and all others; tty0 is whichever screen is shown."""
    try:
        with open(CONSOLES, encoding="ascii") as file:
            named = file.read().split()
    except OSError:
        named = []
    return [SCREEN, *(name for name in named if name not in ("tty0", SCREEN))]


def show(text: str) -> None:
    """Say it on every console, and in a process of its own: behind what the installer says of its end."""
    if os.fork():
        return
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in 0, 1, 2:  # so that nobody waits for the end of what this might say
        os.dup2(nothing, number)
    time.sleep(LAST_WORDS)
    for name in consoles():
        try:
            flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY
            console = os.open("/dev/" + name, flags)
            os.write(console, text.replace("\n", "\r\n").encode("ascii", "replace"))
            os.close(console)
        except OSError:
            continue
    os._exit(0)


def main() -> None:
    with open(HERE + "/settings.json", encoding="utf-8") as file:
        settings = json.load(file)
    if sys.argv[1] == "installed":
        send(settings["installed"], b"installed\n")
        return
    is_stopped = os.path.exists(HERE + "/reason")
    said = journal()
    told = tail(HERE + "/reason", LOG_BYTES).decode("ascii", "replace") if is_stopped else found_cause(said)
    reason, *lines = told.split("\n")
    is_told = send(settings["failed"], failure(reason, said))
    if is_stopped:
        show(sign([line for line in lines if line] or [reason], settings["name"], is_told))
    if is_stopped and is_told:
        # nothing was written, and the server knows why: the next start is from the disk
        time.sleep(LAST_WORDS + READING)
        subprocess.call(["systemctl", "reboot"])
        # were this command to end, the installer would go on talking
        time.sleep(READING)


if __name__ == "__main__":
    main()
