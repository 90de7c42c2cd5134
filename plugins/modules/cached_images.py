#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: cached_images
short_description: Prove that what a cache hands out is what its server verified, and remove what is not
version_added: 1.0.0
author:
  - The homelab.netboot contributors (@homelab-netboot)
description:
  - Reads each image's file of which the cache keeps something, all of it, by way of the cache. Compares its SHA-256
    with the C(manifest.json) that the cache's server has now. What the cache lacks of that file, it fetches.
  - What is kept of a file that is wrong is removed, so that the cache fetches it anew. When it is still wrong then, so
    is the server's own.
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
attributes:
  check_mode:
    description: It says what is wrong, and removes nothing.
    support: full
  diff_mode:
    support: none
  platform:
    platforms: posix
options:
  path:
    description: The folder in which the cache keeps images.
    type: path
    required: true
  url:
    description: Where the cache answers.
    type: str
    required: true
  images:
    description: Short names of those that are meant; all when there is none.
    type: list
    elements: str
    default: []
notes:
  - It runs on the host of the cache.
  - A version that the server does not have any more cannot be proven, and is no fault. No machine is told to boot it.
seealso:
  - module: homelab.netboot.boot_images_info
"""

EXAMPLES = r"""
- name: See that the cache keeps what was verified
  homelab.netboot.cached_images:
    path: /srv/netboot/cache
    url: http://192.168.30.5
  register: kept
  failed_when: kept.faults | length > 0
"""

RETURN = r"""
files:
  description: Each file of which something is kept.
  returned: success
  type: list
  elements: dict
  contains:
    image:
      description: The image's name.
      type: str
      returned: success
      sample: noble
    version:
      description: The version's name.
      type: str
      returned: success
      sample: c3514bf0056a
    file:
      description: The file's name.
      type: str
      returned: success
      sample: noble.iso
    kept:
      description: Bytes on the cache's disk when the module began.
      type: int
      returned: success
      sample: 3213064192
    state:
      description:
        - V(good), or V(mended) when it was wrong and was fetched anew.
        - V(differs) when it is wrong, in check mode. V(owner) when the server's own is wrong.
        - V(gone) when the server has not that version any more. V(unknown) when it could not be asked.
      type: str
      returned: success
      sample: good
    fault:
      description: What is wrong, with the remedy; else empty.
      type: str
      returned: success
    removed:
      description: Files of nginx's that were removed.
      type: list
      elements: str
      returned: success
faults:
  description: All that is wrong.
  returned: success
  type: list
  elements: str
said:
  description: A line for people of each file, and of each fault.
  returned: success
  type: list
  elements: str
  sample:
    - "noble c3514bf0056a noble.iso: as verified, 3.2 GB kept"
"""

from dataclasses import asdict

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.homelab.netboot.plugins.module_utils._errors import UserError
from ansible_collections.homelab.netboot.plugins.module_utils._image import kept

ARGUMENTS = {
    "path": {"type": "path", "required": True},
    "url": {"type": "str", "required": True},
    "images": {"type": "list", "elements": "str", "default": []},
}
SAID = {
    kept.GOOD: "as verified",
    kept.MENDED: "was WRONG; removed, fetched anew, as verified now",
    kept.DIFFERS: "WRONG, see below",
    kept.OWNER: "WRONG, see below",
    kept.GONE: "the server has this version no more",
    kept.UNKNOWN: "not proven, see below",
}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    asked = module.params
    try:
        url = kept.base(asked["url"])
        proofs = list(kept.prove(asked["path"], url, asked["images"], module.check_mode))
    except UserError as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(
            msg=f"{error.filename or asked['path']} cannot be read or changed ({error.strerror})."
        )
    faults = [one.fault for one in proofs if one.fault]
    module.exit_json(
        changed=any(one.removed for one in proofs),
        files=[asdict(one) for one in proofs],
        faults=faults,
        said=[*map(line, proofs), *(f"WRONG: {fault}" for fault in faults)] or ["It keeps nothing of that."],
    )


def line(one: kept.Proof) -> str:
    """A file in a line for people."""
    return f"{one.image} {one.version} {one.file}: {SAID[one.state]}, {one.kept / 1e9:.1f} GB kept"


if __name__ == "__main__":
    main()
