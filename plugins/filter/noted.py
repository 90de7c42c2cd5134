# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter C(homelab.netboot.noted)."""

from __future__ import annotations

DOCUMENTATION = r"""
name: noted
short_description: Find the answer to a question that the server was asked before
version_added: 1.0.0
author: The homelab.netboot contributors (@homelab-netboot)
description:
  - Some modules note their answer on the server, with the sizes, times and inodes of all files on which it depends. An
    answer to the very same question is found, as long as all these files are as they were.
  - Another version of this collection asks again.
positional: folder, name, question
options:
  _input:
    description: The notes that hold, as P(homelab.netboot.server_facts#filter) returns them in C(noted).
    type: dict
    required: true
  folder:
    description: The folder of the notes on the server.
    type: str
    required: true
  name:
    description: Name of the note. There is one answer of each name, the last.
    type: str
    required: true
  question:
    description: The options of the module that answers.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: See which images the server has
  homelab.netboot.boot_images:
    path: /srv/netboot/http/images
    images: "{{ images }}"
    note: "{{ found.note }}"
  when: found.answer is none
  vars:
    found: "{{ netboot_result.noted | homelab.netboot.noted('/var/lib/netboot/answers', 'images', images) }}"
"""

RETURN = r"""
_value:
  description: >-
    C(answer), V(none) when the question must be asked; and C(note), the option of the module that notes its answer.
  type: dict
  sample: {"answer": null, "note": {"path": "/var/lib/netboot/answers/images.json", "key": "5d41402abc4b2a76b9719d91"}}
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.homelab.netboot.plugins.plugin_utils._noted import find


def noted(notes: Mapping[str, Any], folder: str, name: str, question: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is noted; see DOCUMENTATION."""
    return find(notes, folder, name, question)


class FilterModule:
    """Hands the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"noted": noted}
