# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell the server that this installation begins, and go on only when it has noted that.

Else a server that can note nothing, because its disk is full for instance, would install the machine again and again.
Beside it lies settings.json; the reason why it stops is left there too.
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
        text = f"not installed, nothing was written: the server did not note that the installation begins ({error})"
        with open(HERE + "/reason", "w", encoding="ascii", errors="replace") as file:
            file.write(text[:450] + "\n")
        sys.exit("netboot: " + text)


if __name__ == "__main__":
    main()
