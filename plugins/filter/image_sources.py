# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter C(homelab.netboot.image_sources)."""

from __future__ import annotations

DOCUMENTATION = r"""
name: image_sources
short_description: Tell of the ISO images on the controller which are there and which are missing
version_added: 1.0.0
author: The homelab.netboot contributors (@homelab-netboot)
description:
  - Reads the checksums that M(ansible.builtin.stat) took on the controller, and looks which files are there.
  - A file may be missing when the server has the image already, and a checksum or a version tells which one is meant.
positional: seen
options:
  _input:
    description:
      - The results of M(ansible.builtin.stat) in a loop over images as P(homelab.netboot.images#filter) returns them,
        as items with C(key) and C(value).
    type: list
    elements: dict
    required: true
  seen:
    description: What M(homelab.netboot.boot_images) returns as C(images). Without it, nothing is on the server.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Refuse images that are not there
  ansible.builtin.assert:
    that: (looked.results | homelab.netboot.image_sources(found.images)).missing | length == 0
"""

RETURN = r"""
_value:
  description: C(digests), short name to SHA-256; and C(missing), a list of paths on the controller.
  type: dict
  sample: {"digests": {}, "missing": ["/home/me/ubuntu-24.04.3-live-server-amd64.iso"]}
"""

import os.path
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory import sources


def image_sources(
    looked: Iterable[Mapping[str, Any]], seen: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return both; see DOCUMENTATION."""
    looked = list(looked)
    missing = sources.missing(looked, seen or {}, lambda path: os.path.isfile(os.path.expanduser(path)))
    return {"digests": sources.digests(looked), "missing": missing}


class FilterModule:
    """Hands the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"image_sources": image_sources}
