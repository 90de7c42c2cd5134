# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""What the packet filters of the server keep from it, and how its ports are opened to the boot network."""
