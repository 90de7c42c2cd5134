# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell the server that this installation begins, and go on only when it has noted that.

Else a server that can note nothing, because its disk is full for instance, would install the machine again and again.
Arguments: where to report, where the receipt will be, the file for the reason, seconds to wait.
"""

import sys
import time
import urllib.request

report, receipt, reason = sys.argv[1:4]
direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
end = time.monotonic() + float(sys.argv[4])
told = False
error: object = None
while time.monotonic() < end:
    try:
        if not told:
            direct.open(urllib.request.Request(report, b"begun\n", method="PUT"), timeout=20).close()
            told = True
        direct.open(receipt, timeout=20).close()
        sys.exit(0)
    except Exception as problem:
        error = problem
    time.sleep(1)
text = f"not installed, nothing was written: the server did not note that the installation begins ({error})"
with open(reason, "w", encoding="ascii", errors="replace") as file:
    file.write(text[:450] + "\n")
sys.exit("netboot: " + text)
