#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: efi_loaders
short_description: Choose a shim and a GRUB that start given kernels under Secure Boot
version_added: 1.0.0
author:
  - The homelab.netboot contributors (@homelab-netboot)
description:
  - Puts a signed shim and a signed GRUB into a folder on the target, from which UEFI machines load them.
  - The pair is that of O(candidates) that starts the most of O(kernels) with Secure Boot on. shim starts only what
    its vendor has signed and not revoked, so that shim, GRUB and kernels must be of one vendor.
  - Of pairs that start as many, the one is taken whose shim most firmware accepts. Microsoft signs shims with its
    authorities of 2011 and of 2023; firmware may know either or both. Best is a shim that both have signed; then 2011
    alone, then 2023 alone, then neither. Of equal ones the first is taken.
  - Both files are replaced in one step each, after both were written. When anything fails, O(dest) stays as it was.
requirements:
  - sbverify on the target; C(apt install sbsigntool)
  - For a candidate with O(candidates[].iso), pycdlib (1.12 or later) on the target; C(apt install python3-pycdlib).
    Packages are unpacked by dpkg-deb.
extends_documentation_fragment:
  - homelab.netboot.noted
  - ansible.builtin.files
  - ansible.builtin.action_common_attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details: The diff shows sizes, checksums and versions, not the content of the files.
  platform:
    platforms: posix
  idempotent:
    description: A second run with the same candidates and kernels changes nothing.
    support: full
options:
  dest:
    description:
      - The folder that the files go to. It is created when it is missing.
      - The files are C(shimx64.efi) and C(grubx64.efi), or C(shimaa64.efi) and C(grubaa64.efi) for O(arch=aa64). shim
        looks for GRUB under that name, beside itself.
    type: path
    required: true
  kernels:
    description:
      - Kernels that the pair must be able to start, files on the target. One that is compressed with gzip is refused;
        module M(homelab.netboot.boot_images) unpacks it.
      - Those for another processor than O(arch) are left out. When that leaves none, no pair is needed.
    type: list
    elements: path
    default: []
  candidates:
    description:
      - Where the pair may come from.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description:
          - What messages and RV(source) call it, such as the variable that names it.
        type: str
        required: true
      shim:
        description:
          - The signed shim, a file on the target. Debian's is C(/usr/lib/shim/shimx64.efi.signed).
        type: path
      grub:
        description:
          - The signed GRUB, a file on the target. Debian's for the network is
            C(/usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed).
        type: path
      iso:
        description:
          - An ISO image on the target, whose C(pool) has the packages C(shim-signed) and C(grub-efi-amd64-signed)
            (C(grub-efi-arm64-signed) for O(arch=aa64)). Of several versions the newest is taken, and all shims in it
            are looked at; Ubuntu's package has more than one.
        type: path
      named:
        description:
          - Whether somebody wants just this one. It is then taken before one that more firmware accepts.
        type: bool
        default: false
  arch:
    description:
      - The processor of the machines that load them, as UEFI calls it.
    type: str
    choices:
      - x64
      - aa64
    default: x64
  authority:
    description:
      - Which of Microsoft's authorities must have signed the shim, for firmware that knows no other. A shim that both
        have signed fits either. With V(any) it does not matter who has.
    type: str
    choices:
      - any
      - "2011"
      - "2023"
    default: any
  minimum_grub:
    description:
      - The oldest GRUB that fits. One before 2.12 takes no server from the offer of a proxy DHCP server.
    type: str
    default: "2.12"
  required:
    description:
      - Whether to fail when a pair is needed, and no candidate starts all O(kernels). Otherwise RV(refused) has those
        that RV(source) does not start; when it starts none, RV(source) is V(none), and O(dest) stays as it is.
    type: bool
    default: true
notes:
  - O(owner), O(group) and O(mode) apply to the files, not to folders that are created. A file that is replaced keeps
    what is not given.
  - Whether a client's firmware trusts the shim, and what it has revoked since, cannot be seen from here; RV(signers)
    says whom it must trust.
  - A hidden file C(.efi_loaders.json) in O(dest) says where the files are from, and who signed them. While the size,
    times and inode of the ISO and of the files are still those that it says, the ISO is not opened. Signatures are
    verified each time.
  - O(unsafe_writes) has no effect, files are always replaced in one step.
seealso:
  - module: homelab.netboot.iso_boot_files
"""

EXAMPLES = r"""
- name: Loaders are there that start the kernel under Secure Boot
  homelab.netboot.efi_loaders:
    dest: /srv/netboot/tftp
    kernels:
      - /srv/netboot/http/images/noble/vmlinuz
    candidates:
      - name: the ISO of noble
        iso: /srv/netboot/http/images/noble/noble.iso
      - name: the server's packages
        shim: /usr/lib/shim/shimx64.efi.signed
        grub: /usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed
    mode: "0644"
"""

RETURN = r"""
needed:
  description: Whether one of O(kernels) is for O(arch), or none is given. Otherwise RV(source) is V(none).
  returned: success
  type: bool
source:
  description: The name of the candidate that was taken; V(none) when none fits.
  returned: success
  type: str
  sample: the ISO of noble
vendor:
  description: Whom the shim trusts to sign GRUB and kernels, by the common name of the certificate in it.
  returned: success
  type: str
  sample: Canonical Ltd. Master Certificate Authority
signers:
  description:
    - The authorities of the shim's signatures, by common name, in the file's order; firmware starts it when it trusts
      one of them. They are read, not verified.
  returned: success
  type: list
  elements: str
  sample: [Microsoft Corporation UEFI CA 2011, Microsoft UEFI CA 2023]
authorities:
  description: Those of Microsoft among RV(signers), as V(2011) and V(2023).
  returned: success
  type: list
  elements: str
  sample: ["2011", "2023"]
refused:
  description: Those of O(kernels) that the pair does not start under Secure Boot.
  returned: success
  type: list
  elements: dict
  contains:
    kernel:
      description: The file.
      type: str
      returned: success
      sample: /srv/netboot/http/images/focal/current/vmlinuz
    reason:
      description: Why it is not started.
      type: str
      returned: success
      sample: "… is revoked: its shim refuses it by name. Use a newer one"
grub_version:
  description: GRUB's version, as it says itself (SBAT).
  returned: success
  type: str
  sample: "2.12"
shim_version:
  description: The shim's version, as it says itself (SBAT); V(none) when it does not.
  returned: success
  type: str
  sample: "15.8"
rejected:
  description: The candidates that do not fit, of those that were looked at.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: The candidate's name.
      type: str
      returned: always
      sample: the ISO of focal
    reason:
      description: Why it does not fit.
      type: str
      returned: always
      sample: its GRUB is 2.04, and 2.12 is needed
files:
  description: The two files, shim first; none when no candidate fits. In check mode as they would be.
  returned: success
  type: list
  elements: dict
  contains:
    path:
      description: The file on the target.
      type: str
      returned: success
      sample: /srv/netboot/tftp/shimx64.efi
    size:
      description: Its size in bytes.
      type: int
      returned: success
      sample: 966664
    checksum:
      description: The SHA-256 of its content, in hex.
      type: str
      returned: success
      sample: 6b0a3b5b0d0f9a2f9b0a2f5b2f0d8c0a7d0c9f1e8b7a6958473625140f1e2d3c
    changed:
      description: Whether its content, owner or mode was changed.
      type: bool
      returned: success
"""

import os
from typing import Any

from ansible.module_utils.basic import AnsibleModule, missing_required_lib
from ansible_collections.homelab.netboot.plugins.module_utils import _noted
from ansible_collections.homelab.netboot.plugins.module_utils._carry_out import carry_out
from ansible_collections.homelab.netboot.plugins.module_utils._errors import UserError
from ansible_collections.homelab.netboot.plugins.module_utils._image.iso import PYCDLIB_ERROR
from ansible_collections.homelab.netboot.plugins.module_utils._uefi.names import MANIFEST, PAIRS, YEARS
from ansible_collections.homelab.netboot.plugins.module_utils._uefi.pairs import (
    Candidate,
    Judge,
    Loader,
    NoVerifierError,
    PairChoice,
    act,
    authorities,
    decide,
    kernels_for,
    remember,
)
from ansible_collections.homelab.netboot.plugins.module_utils._uefi.pe import numbers

CANDIDATE = {
    "name": {"type": "str", "required": True},
    "shim": {"type": "path"},
    "grub": {"type": "path"},
    "iso": {"type": "path"},
    "named": {"type": "bool", "default": False},
}
ARGUMENTS = {
    "dest": {"type": "path", "required": True},
    "kernels": {"type": "list", "elements": "path", "default": []},
    "candidates": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": CANDIDATE,
        "required_together": [("shim", "grub")],
        "required_one_of": [("shim", "iso")],
        "mutually_exclusive": [("shim", "iso"), ("grub", "iso")],
    },
    "arch": {"type": "str", "choices": ["x64", "aa64"], "default": "x64"},
    "authority": {"type": "str", "choices": ["any", *YEARS], "default": "any"},
    "minimum_grub": {"type": "str", "default": "2.12"},
    "required": {"type": "bool", "default": True},
    **_noted.OPTION,
}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, add_file_common_args=True, supports_check_mode=True)
    options = module.params
    if PYCDLIB_ERROR and any(one["iso"] for one in options["candidates"]):
        hint = missing_required_lib("pycdlib") + " On Debian and Ubuntu: apt install python3-pycdlib"
        module.fail_json(msg=hint, exception=PYCDLIB_ERROR)
    if not numbers(options["minimum_grub"]):
        module.fail_json(
            msg=f"minimum_grub: {options['minimum_grub']!r} is no version, give one such as 2.12."
        )

    kernels = kernels_for(options["arch"], options["kernels"])
    needed = bool(kernels) or not options["kernels"]
    sbverify = module.get_bin_path("sbverify")
    try:
        authority = None if options["authority"] == "any" else options["authority"]
        judge = Judge(options["arch"], options["minimum_grub"], kernels, sbverify, module.tmpdir, authority)
        candidates = [Candidate(**one) for one in options["candidates"]] if needed else []
        plan = decide(options["dest"], candidates, judge)
        if needed and options["required"] and (plan.fit is None or plan.fit.refused):
            module.fail_json(msg=complaint(plan, kernels), rejected=plan.rejected)
        changes = carry_out(module, plan, plan.loaders, act=act, remember=remember, describe=describe)
    except NoVerifierError:
        module.fail_json(
            msg="sbverify is needed to verify signatures, and not installed: apt install sbsigntool"
        )
    except UserError as error:
        module.fail_json(msg=str(error))

    answer = {**found(plan), "needed": needed}
    if not module.check_mode:
        _noted.write(options["note"], {**answer, "changed": False, "files": []}, sources(options, sbverify))
    module.exit_json(**answer, **({"diff": changes} if module._diff else {}))


def sources(options: dict[str, Any], sbverify: str | None) -> list[str]:
    """Return all files on which the answer depends."""
    given = [one[key] for one in options["candidates"] for key in ("shim", "grub", "iso")]
    placed = [os.path.join(options["dest"], name) for name in (*PAIRS[options["arch"]], MANIFEST)]
    return [path for path in (*options["kernels"], *given, *placed, sbverify) if path]


def found(plan: PairChoice) -> dict[str, Any]:
    """Return what the module tells of the pair."""
    keys = ("path", "size", "checksum", "changed")
    fit = plan.fit
    shim_version, grub_version = (loader.version for loader in plan.loaders) if fit else (None, None)
    return {
        "changed": any(loader.changed for loader in plan.loaders),
        "source": fit.source if fit else None,
        "vendor": fit.vendor if fit else None,
        "signers": list(fit.signers) if fit else [],
        "authorities": authorities(fit.signers) if fit else [],
        "refused": [{"kernel": path, "reason": why} for path, why in fit.refused.items()] if fit else [],
        "grub_version": grub_version,
        "shim_version": shim_version,
        "rejected": plan.rejected,
        "files": [{key: getattr(loader, key) for key in keys} for loader in plan.loaders],
    }


def complaint(plan: PairChoice, kernels: list[str]) -> str:
    reasons = [f"\n- {one['name']}: {one['reason']}." for one in plan.rejected]
    if plan.fit:
        reasons += [f"\n- {plan.fit.source}: {why}." for why in plan.fit.refused.values()]
    return (
        f"No shim and GRUB can start {', '.join(kernels) or 'a kernel'} under Secure Boot."
        f"{''.join(reasons) or ' No candidate is given.'}\n"
        "Give signed ones of the kernel's vendor, with a new enough GRUB, as a candidate; for Ubuntu's kernels, of "
        "whatever release, the packages shim-signed and grub-efi-amd64-signed of Ubuntu 24.04 or newer. Or boot "
        "these machines with iPXE and with Secure Boot off. Nothing was changed."
    )


def describe(loader: Loader) -> tuple[str, str]:
    """Show a replaced file by what identifies it: programs are no reading matter."""

    def text(size: int, checksum: str, version: str | None) -> str:
        return f"size: {size}\nsha256: {checksum}\nversion: {version or 'unknown'}\n"

    return text(*loader.before) if loader.before else "", text(loader.size, loader.checksum, loader.version)


if __name__ == "__main__":
    main()
