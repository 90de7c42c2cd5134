# SPDX-License-Identifier: GPL-3.0-or-later
"""The test lab: a router, servers in containers and clients with real firmware, on networks of their own."""
