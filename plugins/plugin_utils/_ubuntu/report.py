# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""With which commands the installer tells the server how it ended (Subiquity: late-commands, error-commands)."""

from __future__ import annotations

from ansible_collections.homelab.netboot.plugins.module_utils._program.contract import (
    FAILED,
    INSTALLED,
    report_address,
)
from ansible_collections.homelab.netboot.plugins.plugin_utils._ubuntu.guard import REASON

#: Bytes of the installer's logs that are told; what the server takes is a little more (pxe_http_report_size).
LOG_BYTES = 48_000

# The installer's live system has Python, since cloud-init and Subiquity are written in it; curl is not on all of them.
# Seven tries in about two minutes; whatever goes wrong, the installation itself must not suffer.
_SEND = """\
def send(address, body):
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for pause in (0, 1, 4, 10, 20, 40, 60):
        time.sleep(pause)
        try:
            direct.open(urllib.request.Request(address, body, method="PUT"), timeout=20)
            return True
        except Exception as error:
            print("netboot: the server was not told:", error, flush=True)
    return False
"""

_INSTALLED = f"""\
import sys, time, urllib.request
{_SEND}
send(sys.argv[1], b"installed\\n")
"""

_FAILED = f"""\
import glob, os, subprocess, sys, time, urllib.request
{_SEND}
def tail(path, size):
    try:
        with open(path, "rb") as file:
            file.seek(-min(size, os.path.getsize(path)), 2)
            return file.read(size)
    except OSError as error:
        return str(error).encode()

stopped = os.path.exists("{REASON}")
reason = tail("{REASON}", 500).split(b"\\n")[0] if stopped else b"the installer failed"
logs = sorted(glob.glob("/var/log/installer/*.log"))
body = reason + b"\\n" + b"".join(
    b"\\n== " + path.encode() + b"\\n" + tail(path, {LOG_BYTES} // len(logs)) for path in logs)
if send(sys.argv[1], body) and stopped:
    # nothing was written, and the server knows why: the next start is from the disk
    time.sleep(5)
    subprocess.call(["systemctl", "reboot"])
"""


def late_commands(base_url: str, name: str) -> list[str]:
    """Return the late-commands that tell the server that the machine is installed; to stand behind all others.

    :param base_url: the server's HTTP root, without a slash at the end.
    :param name: the machine's name.
    """
    return [_command(_INSTALLED, base_url, name, INSTALLED)]


def error_commands(base_url: str, name: str) -> list[str]:
    """Return the error-commands that tell the server why the installation failed, with the end of the logs.

    Whoever stops an installation on purpose writes one line to L(REASON) first; the machine then starts anew.

    :param base_url: the server's HTTP root, without a slash at the end.
    :param name: the machine's name.
    """
    return [_command(_FAILED, base_url, name, FAILED)]


def _command(program: str, base_url: str, name: str, word: str) -> str:
    # Subiquity runs a text with sh -c; neither program nor address holds a single quote.
    return f"python3 -c '{program}' '{report_address(base_url, name, word)}' || true"
