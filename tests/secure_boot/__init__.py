# SPDX-License-Identifier: GPL-3.0-or-later
"""Shims that Microsoft has signed, on firmware that knows one of its authorities or both: `make secure-boot`."""
