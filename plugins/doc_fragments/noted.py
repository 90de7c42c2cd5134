# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules that note their answer say of that: the documentation of module_utils/_noted.py, OPTION."""

from __future__ import annotations


class ModuleDocFragment:
    """Named by C(extends_documentation_fragment)."""

    DOCUMENTATION = r"""
options:
  note:
    description:
      - Where to note the answer, so that whoever asks the same again need not. It is written when all is done, and
        not in check mode.
      - It says the sizes, times and inodes of all files on which the answer depends.
    type: dict
    suboptions:
      path:
        description: The file. Its folder is created when it is missing, but not those above it.
        type: path
        required: true
      key:
        description: By what the asking one knows the question, such as a checksum.
        type: str
        required: true
"""
