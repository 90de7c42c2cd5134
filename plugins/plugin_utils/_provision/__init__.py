# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""What playbook provision decides of machines that are up: their host keys, and what is told at the end."""
