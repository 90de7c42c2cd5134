# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""What the server is already: where it is in the boot network, what is installed, what runs, who holds its ports."""
