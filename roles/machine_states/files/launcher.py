#!/usr/bin/python3 -IB
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts the package netboot beside it; see `netboot --help`."""

import sys

sys.path.append("/usr/local/lib")

from netboot.__main__ import main

sys.exit(main())
