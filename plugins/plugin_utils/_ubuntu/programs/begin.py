# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell the server that this installation begins, and go on only when it has noted that.

Else a server that can note nothing, because its disk is full for instance, would install the machine again and again.
Beside it lies settings.json. The reason why it stops is left there too: a line for the server, and below it what a
person before the machine is told.
"""

import json
import os
import sys
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))


def noted(report: str, receipt: str, seconds: float) -> str:
    """Tell it, and wait for the receipt; what kept it from coming, or nothing."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    end = time.monotonic() + seconds
    is_told = False
    error = "no time"
    while time.monotonic() < end:
        try:
            if not is_told:
                request = urllib.request.Request(report, b"begun\n", method="PUT")
                direct.open(request, timeout=20).close()
                is_told = True
            direct.open(receipt, timeout=20).close()
            return ""
        except Exception as problem:
            error = str(problem)
        time.sleep(1)
    return error


def main() -> None:
    with open(HERE + "/settings.json", encoding="utf-8") as file:
        settings = json.load(file)
    error = noted(settings["begun"], settings["receipt"], settings["patience"])
    if error:
        what = ascii(f"the server did not note that the installation begins ({error})")[1:-1]
        text = "not installed, nothing was written: " + what[:400]
        with open(HERE + "/reason", "w", encoding="ascii") as file:
            file.write(f"{text}\n{what}\n> ask the server: ansible-playbook homelab.netboot.doctor\n")
        sys.exit("netboot: " + text)


if __name__ == "__main__":
    main()
