#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: boot_images_info
short_description: Prove that images and loaders are what was verified, and tell where they are from
version_added: 1.0.0
author:
  - The homelab.netboot contributors (@homelab-netboot)
description:
  - Reads each file of each version of the images that M(homelab.netboot.boot_images) keeps, all of it, and compares its
    SHA-256 with the version's C(manifest.json). Each run of that module compares sizes, times and inodes only, so it
    does not see what a failing disk changes.
  - Likewise shim and GRUB, which are for all images together, with what M(homelab.netboot.efi_loaders) noted of them.
  - It mends nothing; each fault has its remedy.
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
attributes:
  check_mode:
    description: It changes nothing, in any mode.
    support: full
  diff_mode:
    support: none
  platform:
    platforms: posix
options:
  path:
    description: The folder of all images.
    type: path
    required: true
  images:
    description: Short names of those that are meant; all when there is none.
    type: list
    elements: str
    default: []
  loaders:
    description: The folder of shim and GRUB; without it none are looked at.
    type: path
notes:
  - What stands in a manifest is believed. Whoever can write files there can write the manifest as well.
  - While M(homelab.netboot.boot_images) is at work in O(path), it refuses, and the other way round.
"""

EXAMPLES = r"""
- name: See whether images are what was verified
  homelab.netboot.boot_images_info:
    path: /srv/netboot/http/images
    loaders: /srv/netboot/http/efi
  register: proved
  failed_when: proved.faults | length > 0
"""

RETURN = r"""
versions:
  description: The versions, those of one image together.
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
    folder:
      description: Where it lies.
      type: str
      returned: success
      sample: /srv/netboot/http/images/noble/c3514bf0056a
    used:
      description: Whether it is the one in use.
      type: bool
      returned: success
    release:
      description: The Ubuntu release; V(none) as the rest, when its manifest cannot be read.
      type: str
      returned: success
      sample: 24.04.3
    arch:
      description: The processor that it is for.
      type: str
      returned: success
      sample: amd64
    source:
      description: Where the ISO was fetched, without what only its user may know.
      type: str
      returned: success
      sample: https://releases.ubuntu.com/24.04/ubuntu-24.04.3-live-server-amd64.iso
    checksum:
      description: What the ISO was compared with then; empty when there was no checksum.
      type: str
      returned: success
      sample: sha256:https://releases.ubuntu.com/24.04/SHA256SUMS
    signed_by:
      description: Who signed that list of checksums; empty when nobody was asked.
      type: str
      returned: success
    fetched:
      description: When it was fetched, in UTC.
      type: str
      returned: success
      sample: "2026-11-27T05:36:51Z"
    files:
      description: Name to C(size), C(sha256), C(source) (path in the ISO) and, of the kernel, C(signers).
      type: dict
      returned: success
    faults:
      description: What is wrong with it, each with its remedy.
      type: list
      elements: str
      returned: success
loaders:
  description: Shim and GRUB, as far as there are any in O(loaders).
  returned: success
  type: list
  elements: dict
  contains:
    path:
      description: The file.
      type: str
      returned: success
      sample: /srv/netboot/http/efi/shimx64.efi
    version:
      description: Its version, as it says itself; V(none) when it does not.
      type: str
      returned: success
      sample: "15.8"
    source:
      description: Where it was taken from.
      type: str
      returned: success
      sample: the ISO of noble
    sha256:
      description: What it is to be.
      type: str
      returned: success
    signers:
      description: The authorities of its signatures, by common name; read, not verified.
      type: list
      elements: str
      returned: success
      sample: [Microsoft Corporation UEFI CA 2011]
    fault:
      description: What is wrong with it, with the remedy; else empty.
      type: str
      returned: success
faults:
  description: All that is wrong.
  returned: success
  type: list
  elements: str
said:
  description: A line for people of each version, each loader, and each fault.
  returned: success
  type: list
  elements: str
  sample:
    - "noble c3514bf0056a, in use: Ubuntu 24.04.3 for amd64, 3.4 GB: as verified. Fetched 2026-11-27T05:36:51Z from
      https://releases.ubuntu.com/24.04/ubuntu-24.04.3-live-server-amd64.iso, compared with
      sha256:https://releases.ubuntu.com/24.04/SHA256SUMS; kernel signed by Canonical Ltd. Master Certificate Authority"
"""

import contextlib
import fcntl
import os
from dataclasses import asdict
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.homelab.netboot.plugins.module_utils._errors import UserError
from ansible_collections.homelab.netboot.plugins.module_utils._image import proof
from ansible_collections.homelab.netboot.plugins.module_utils._image.store import locked
from ansible_collections.homelab.netboot.plugins.module_utils._uefi import proof as loader_proof

ARGUMENTS = {
    "path": {"type": "path", "required": True},
    "images": {"type": "list", "elements": "str", "default": []},
    "loaders": {"type": "path"},
}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    root, top = module.params["path"], module.params["loaders"]
    proofs: list[proof.Proof] = []
    faults: list[str] = []
    try:
        with locked(root, fcntl.LOCK_SH) if os.path.isdir(root) else contextlib.nullcontext():
            for image in proof.images(root, module.params["images"]):
                found, wrong = proof.prove(root, image)
                proofs += found
                faults += wrong
    except UserError as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(msg=f"{error.filename or root} cannot be read ({error.strerror}).")
    loaders, unknown = loader_proof.prove(top) if top else ([], [])
    faults = [
        *(fault for one in proofs for fault in one.faults),
        *faults,
        *(one.fault for one in loaders if one.fault),
        *unknown,
    ]
    module.exit_json(
        changed=False,
        versions=[version(one) for one in proofs],
        loaders=[asdict(one) for one in loaders],
        faults=faults,
        said=[*map(line, proofs), *map(loader_line, loaders), *(f"WRONG: {fault}" for fault in faults)],
    )


def version(one: proof.Proof) -> dict[str, Any]:
    """What is told of a version."""
    known = one.known
    told: dict[str, Any] = {"image": one.image, "version": one.name, "folder": one.folder, "used": one.used}
    for key, field in {"checksum": "compared", "signed_by": "signed"}.items():
        told[key] = getattr(known, field) if known else None
    for key in ("release", "arch", "source", "fetched"):
        told[key] = getattr(known, key) if known else None
    told["files"] = {
        name: {key: value for key, value in file.items() if key != "stamp"}
        for name, file in (known.files if known else {}).items()
    }
    return {**told, "faults": one.faults}


def line(one: proof.Proof) -> str:
    """A version in a line for people."""
    known = one.known
    who = f"{one.image} {one.name}" + (", in use" if one.used else ", kept")
    if known is None:
        return f"{who}: not known"
    size = sum(file["size"] for file in known.files.values())
    good = "as verified" if not one.faults else "WRONG, see below"
    from_where = f"Fetched {known.fetched} from {known.source}, "
    whole = known.reduced_from
    size_of = f", the ISO made of one of {whole['size'] / 1e9:.1f} GB" if whole else ""
    compared = f"compared with {known.compared}" if known.compared else "compared with no checksum"
    signed = f", signed by {known.signed}" if known.signed else ""
    signers = " and ".join(known.files["vmlinuz"].get("signers") or ["nobody"])
    return (
        f"{who}: Ubuntu {known.release} for {known.arch}, {size / 1e9:.1f} GB{size_of}: {good}. "
        f"{from_where}{compared}{signed}; kernel signed by {signers}"
    )


def loader_line(one: loader_proof.LoaderProof) -> str:
    """A loader in a line for people."""
    version = f" {one.version}" if one.version else ""
    good = "WRONG, see below" if one.fault else "as verified"
    signers = " and ".join(one.signers) or "nobody"
    return f"{os.path.basename(one.path)}{version}: {good}. From {one.source}; signed by {signers}"


if __name__ == "__main__":
    main()
