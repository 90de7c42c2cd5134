#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: iso_boot_files
short_description: Copy kernel and initrd out of an Ubuntu ISO
version_added: 1.0.0
author:
  - The homelab.netboot contributors (@homelab-netboot)
description:
  - Copies single files out of an ISO image on the target into a folder, without mounting it.
  - All files are replaced together, and each in one step, so that nobody who fetches them sees half a file.
    When anything fails while they are copied, O(dest) stays as it was.
requirements:
  - pycdlib (1.12 or later) on the target; C(apt install python3-pycdlib)
extends_documentation_fragment:
  - ansible.builtin.files
  - ansible.builtin.action_common_attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details: The diff shows sizes and checksums, not the content of the files.
  platform:
    platforms: posix
  idempotent:
    description: A second run with the same ISO and options changes nothing.
    support: full
options:
  src:
    description:
      - The ISO image, a file on the target.
    type: path
    required: true
  dest:
    description:
      - The folder that the files go to. It is created when it is missing.
    type: path
    required: true
  files:
    description:
      - Which file of the ISO gets which name in O(dest). A name may have folders of its own, which are created.
      - Paths are written as in Ubuntu, without a leading slash. An ISO without Rock Ridge, Joliet and UDF has short
        names in capitals (V(CASPER/VMLINUZ.;1)); V(casper/vmlinuz) finds those, too.
      - V(casper/hwe-vmlinuz) and V(casper/hwe-initrd) are the newer kernel of some releases.
    type: dict
    default:
      casper/vmlinuz: vmlinuz
      casper/initrd: initrd
notes:
  - O(owner), O(group) and O(mode) apply to the files, not to folders that are created. A file that is replaced keeps
    what is not given.
  - A hidden file C(.iso_boot_files.json) in O(dest) says what was copied. While the ISO and a file still have the
    size, times and inode that it says, the file is taken as unchanged. So a run that changes nothing reads neither;
    reading both each time would cost as much as copying. Anything else, and a missing or damaged
    C(.iso_boot_files.json), only means that the content is compared.
  - The content of the ISO is not verified; compare the checksum of the whole ISO when it is downloaded.
  - O(unsafe_writes) has no effect, files are always replaced in one step.
  - While files are replaced, O(dest) needs room for the old and the new ones.
seealso:
  - module: ansible.builtin.get_url
    description: Downloads the ISO and verifies its checksum.
"""

EXAMPLES = r"""
- name: Kernel and initrd of the image are there
  homelab.netboot.iso_boot_files:
    src: /srv/netboot/http/images/focal/focal.iso
    dest: /srv/netboot/http/images/focal
    mode: "0644"

- name: The newer kernel is there, under the usual names
  homelab.netboot.iso_boot_files:
    src: /srv/netboot/http/images/jammy/jammy.iso
    dest: /srv/netboot/http/images/jammy
    files:
      casper/hwe-vmlinuz: vmlinuz
      casper/hwe-initrd: initrd
    mode: "0644"
"""

RETURN = r"""
files:
  description: The files, in the order of O(files). In check mode as they would be.
  returned: success
  type: list
  elements: dict
  contains:
    path:
      description: The file on the target.
      type: str
      returned: success
      sample: /srv/netboot/http/images/focal/vmlinuz
    source:
      description: Its path in the ISO.
      type: str
      returned: success
      sample: casper/vmlinuz
    size:
      description: Its size in bytes.
      type: int
      returned: success
      sample: 13660416
    checksum:
      description: The SHA-256 of its content, in hex.
      type: str
      returned: success
      sample: 6b0a3b5b0d0f9a2f9b0a2f5b2f0d8c0a7d0c9f1e8b7a6958473625140f1e2d3c
    changed:
      description: Whether its content, owner or mode was changed.
      type: bool
      returned: success
release:
  description: What the ISO says of itself in C(.disk/info); V(none) when it has no such file.
  returned: success
  type: str
  sample: Ubuntu-Server 20.04.3 LTS "Focal Fossa" - Release amd64 (20210824)
"""

from importlib.util import find_spec

from ansible.module_utils.basic import AnsibleModule, missing_required_lib
from ansible_collections.homelab.netboot.plugins.module_utils._carry_out import carry_out
from ansible_collections.homelab.netboot.plugins.module_utils._errors import UserError
from ansible_collections.homelab.netboot.plugins.module_utils._image.extraction import (
    Step,
    act,
    decide,
    remember,
)


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "src": {"type": "path", "required": True},
            "dest": {"type": "path", "required": True},
            "files": {"type": "dict", "default": {"casper/vmlinuz": "vmlinuz", "casper/initrd": "initrd"}},
        },
        add_file_common_args=True,
        supports_check_mode=True,
    )
    if find_spec("pycdlib") is None:  # not loaded, since a run that changes nothing does without it
        hint = missing_required_lib("pycdlib") + " On Debian and Ubuntu: apt install python3-pycdlib"
        module.fail_json(msg=hint)

    options = module.params
    try:
        plan = decide(options["src"], options["dest"], options["files"], module.check_mode, module._diff)
        changes = carry_out(module, plan, plan.steps, act=act, remember=remember, describe=describe)
    except UserError as error:
        module.fail_json(msg=str(error))

    keys = ("path", "source", "size", "checksum", "changed")
    module.exit_json(
        changed=any(step.changed for step in plan.steps),
        files=[{key: getattr(step, key) for key in keys} for step in plan.steps],
        release=plan.release,
        **({"diff": changes} if module._diff else {}),
    )


def describe(step: Step) -> tuple[str, str]:
    """Show a replaced file by what identifies it: kernels are no reading matter."""
    before = f"size: {step.before[0]}\nsha256: {step.before[1]}\n" if step.before else ""
    return before, f"size: {step.size}\nsha256: {step.checksum}\n"


if __name__ == "__main__":
    main()
