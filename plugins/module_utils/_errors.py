# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""What modules tell their users when something cannot be done."""

from __future__ import annotations


class UserError(Exception):
    """Something that the user can put right: the text names it, says why and what to do."""
