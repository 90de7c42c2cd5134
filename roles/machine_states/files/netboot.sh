#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Starts the package netboot; see `netboot --help`. Isolated (-I): no variable and no folder changes what root runs.
exec /usr/bin/python3 -IB -c '
import sys
sys.path.insert(0, "/usr/local/lib")
from netboot.cli import main
sys.exit(main())
' "$@"
