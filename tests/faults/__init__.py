# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong on a server, made to happen on a real one: what the user sees, and that no disk is wiped by it."""
