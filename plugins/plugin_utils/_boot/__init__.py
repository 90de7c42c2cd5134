# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""What machines are handed when they boot: loaders, their entries, and how they are offered."""
