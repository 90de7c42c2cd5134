# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell the server how the installation ended. Argument: installed or failed.

Whoever stops an installation on purpose leaves one line in the file reason: the server is told it, it becomes the last
thing on the machine's consoles, and the machine starts anew. Beside it lies settings.json.
"""

import glob
import json
import os
import re
import subprocess
import sys
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
#: Bytes of the installer's logs that are told; what the server takes is a little more (pxe_http_report_size).
LOG_BYTES = 48_000
#: Seven tries in about two minutes.
PAUSES = (0, 1, 4, 10, 20, 40, 60)
#: Seconds that the installer has to say its last words, and people to read ours.
LAST_WORDS, READING = 5, 15
CONSOLES = "/sys/class/tty/console/active"
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


def found_cause(said: str) -> bytes:
    """The cause as one line without what could not be shown."""
    server, curtin = (
        tail(f"{LOGS}/{name}.log", LOG_BYTES * 20).decode("utf-8", "replace")
        for name in ("subiquity-server-debug", "curtin-install")
    )
    text = "".join(c if c.isprintable() else " " for c in cause(server, curtin, said))
    return text[:300].encode()


def failure(reason: bytes, said: str) -> bytes:
    """The report: the reason, and the end of the journal and of each log."""
    logs = sorted(glob.glob(f"{LOGS}/*.log"))
    parts = [(path, tail(path, LOG_BYTES // (len(logs) + 1))) for path in logs]
    if said:
        parts.insert(0, (" ".join(JOURNAL), said.encode()[-LOG_BYTES // (len(logs) + 1) :]))
    return reason + b"\n" + b"".join(b"\n== " + name.encode() + b"\n" + text for name, text in parts)


def consoles() -> "list[str]":
    try:
        with open(CONSOLES, encoding="ascii") as file:
            return file.read().split()
    except OSError:
        return []


def show(reason: bytes) -> None:
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
            os.write(console, b"\r\n\r\nnetboot: " + reason + b"\r\n")
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
    reason = tail(HERE + "/reason", 500).split(b"\n")[0] if is_stopped else found_cause(said)
    is_told = send(settings["failed"], failure(reason, said))
    if is_stopped:
        show(reason)
    if is_stopped and is_told:
        # nothing was written, and the server knows why: the next start is from the disk
        time.sleep(LAST_WORDS + READING)
        subprocess.call(["systemctl", "reboot"])
        # were this command to end, the installer would go on talking
        time.sleep(READING)


if __name__ == "__main__":
    main()
