# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines started by emulated management controllers, on loopback: `make power`."""
