# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""What is said of an image that cannot be used; apart from `iso`, which a run that changes nothing does not load."""

from __future__ import annotations

import contextlib
from typing import Iterator

from ansible_collections.homelab.netboot.plugins.module_utils._errors import UserError


class IsoError(UserError):
    """The image cannot be used as asked. The text names it, says why and what to do."""


class MissingError(IsoError):
    """There is no such file in the image."""


@contextlib.contextmanager
def reading(name: str) -> Iterator[None]:
    """Make an IsoError that names the file of an error of the system."""
    try:
        yield
    except OSError as error:
        raise IsoError(f"Cannot read {name}: {error.strerror or error}.") from error
