# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell the server how the installation ended. Argument: installed or failed.

Whoever stops an installation on purpose leaves one line in the file reason: the server is told it, it becomes the last
thing on the machine's consoles, and the machine starts anew. Beside it lies settings.json.
"""

import glob
import json
import os
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


def failure(reason: bytes) -> bytes:
    """The report: the reason, and the end of each log."""
    logs = sorted(glob.glob("/var/log/installer/*.log"))
    body = reason + b"\n"
    for path in logs:
        body += b"\n== " + path.encode() + b"\n" + tail(path, LOG_BYTES // len(logs))
    return body


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
    reason = tail(HERE + "/reason", 500).split(b"\n")[0] if is_stopped else b"the installer failed"
    is_told = send(settings["failed"], failure(reason))
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
