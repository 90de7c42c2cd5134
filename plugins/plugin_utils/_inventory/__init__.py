# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""What the inventory says of machines, images and the server: checked, and in one form."""
