# SPDX-License-Identifier: GPL-3.0-or-later
"""The boot matrix: every boot path that the project claims, booted by real firmware from real servers."""
