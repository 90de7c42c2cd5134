# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter C(homelab.netboot.images)."""

from __future__ import annotations

DOCUMENTATION = r"""
name: images
short_description: Check and complete the images that machines are installed from
version_added: 1.0.0
author: The homelab.netboot contributors (@homelab-netboot)
description:
  - Says for every image where its ISO comes from, and checks all of them at once.
  - An image without C(url), C(path) and C(src) is one by name. Its name, or C(release), is that of an Ubuntu release,
    and the server finds address and checksum of its newest ISO.
  - A download without a checksum is refused, since nothing unverified is served.
positional: digests
options:
  _input:
    description: Short name to mapping, as in the variable C(netboot_images).
    type: dict
    required: true
  digests:
    description: Short name to SHA-256 of a file of the controller, for images that give no checksum.
    type: dict
"""

EXAMPLES = r"""
- name: Show the images in their normal form
  ansible.builtin.debug:
    msg: "{{ {'focal': {'path': '/srv/iso/ubuntu-20.04.6-live-server-amd64.iso'}} | homelab.netboot.images }}"
"""

RETURN = r"""
_value:
  description:
    - Short name to mapping, as M(homelab.netboot.boot_images) takes it, with C(source) (V(url), V(path), V(src)
      or V(name)), C(origin), C(checksum) (may be empty), C(version), C(keep), C(arch), C(flavour) (which kernel; empty
      for the usual one), C(small) (whether the ISO is to be made smaller), C(kernels) (release to kernel and initrd,
      paths inside the ISO) and C(kernel_args).
    - With V(name) also C(release) (such as V(24.04), or V(24.04.3) for that one alone), C(codename), C(mirrors) and
      C(signed_by).
  type: dict
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory.images import normalise


def images(entries: Mapping[str, Any], digests: Mapping[str, str] | None = None) -> dict[str, dict[str, Any]]:
    """Return checked images; see DOCUMENTATION."""
    try:
        return normalise(entries, digests)
    except ValueError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """Hands the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"images": images}
