#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: boot_images
short_description: Keep Ubuntu images, each in several versions, ready to be installed from
version_added: 1.0.0
author:
  - The homelab.netboot contributors (@homelab-netboot)
description:
  - Fetches live-server ISOs, verifies them, reads from each what it is, and takes kernel and initrd out of it.
  - Of an image that is only named it finds the newest point release on Ubuntu's mirrors, in a list of checksums that
    Ubuntu's key for CD images has signed. Where no mirror answers, the image that is there and was so verified is
    used, with a warning.
  - A kernel that is a gzip file, as Ubuntu's for arm64 are, is unpacked. With Secure Boot some GRUBs have shim judge
    the file as it is, and then start only an unpacked one.
  - Every version of an image has a folder of its own, named by the ISO's SHA-256, in which nothing changes any more.
    A new version is made complete beside the old one; then C(IMAGE/current) is switched by one rename.
    A machine that has begun with one version goes on with it.
  - With C(small) the ISO is made smaller, by xorriso, when it was verified. The installer keeps it in memory, so
    machines need less. The version has another name, and C(manifest.json) says of which ISO it was made.
  - A version that is still there is used again without a download, whether its checksum is asked for again or
    C(version) names it.
requirements:
  - gpgv on the target, for an image that is only named; C(apt install gpgv)
  - xorriso on the target, when the ISO of an image is to be made smaller; C(apt install xorriso)
  - pycdlib (1.12 or later) on the target, when an image is to be fetched; C(apt install python3-pycdlib)
extends_documentation_fragment:
  - homelab.netboot.noted
  - ansible.builtin.action_common_attributes
attributes:
  check_mode:
    support: full
    details: Looks at local ISOs, where pycdlib is installed, and refuses the same ones. Downloads nothing but lists of
      checksums. Without gpgv it cannot tell which version a name leads to.
  diff_mode:
    support: full
    details: The diff shows which version is in use, which are kept, and each file that comes or goes.
  platform:
    platforms: posix
  idempotent:
    description: A second run with the same options changes nothing, unless a mirror has a newer point release by then.
    support: full
options:
  path:
    description: The folder of all images. It is created when it is missing.
    type: path
    required: true
  images:
    description:
      - Name to image, as the filter P(homelab.netboot.images#filter) returns them. Other images stay as they are.
      - An ISO from the controller (C(source) is V(src)) is expected at C(.incoming/IMAGE.iso) in O(path); it is moved.
    type: dict
    required: true
  quick:
    description:
      - In check mode, read no whole ISO only to tell its version; of a local one without a checksum C(version) is then
        empty, unless it is known by its size and times.
    type: bool
    default: false
  timeout:
    description: How long a web server may say nothing, in seconds.
    type: int
    default: 60
  patience:
    description:
      - How long the download of an ISO may come no further, in seconds, before it is given up.
      - Until then it is tried again after 1, 2, 4 and so on up to 30 seconds, and goes on where it broke off.
        An address that has given nothing yet is tried three times only, and one that says it has no such file once.
    type: int
    default: 300
  progress:
    description:
      - Name of a file in C(.partial), in O(path), that says how far a download is. The action plugin sets it.
    type: str
    default: ""
notes:
  - While an ISO is downloaded, lines in Ansible's output say how far it is, every few seconds on a terminal, else at
    every ten per cent. There are none with C(no_log) or C(async).
  - What has come of an ISO lies in C(.partial), in O(path), which only its owner can enter, until it is complete. When
    the download breaks off or the run is killed, the next run reads it, for its digest. It asks for the rest only,
    if the file at that address is still the same. It is removed when no image asks for it any more.
  - Ubuntu's key is taken from C(/usr/share/keyrings/ubuntu-archive-keyring.gpg), which package ubuntu-keyring of Ubuntu
    and Debian 13 keeps up to date. Where there is no such file, it is the one that came with this collection.
  - While sizes, times and inodes of the files of a version are those that its C(manifest.json) says, they are not read.
    Otherwise they are compared with their SHA-256; a version that was damaged is fetched again.
  - Files have mode 0644, and folders 0755, when they are complete. Two runs at the same time are refused.
seealso:
  - module: homelab.netboot.boot_images_info
    description: Reads all files of all versions.
  - module: homelab.netboot.iso_boot_files
    description: Only copies kernel and initrd.
"""

EXAMPLES = r"""
- name: The image is there
  homelab.netboot.boot_images:
    path: /srv/netboot/http/images
    images: "{{ {'noble': {'path': '/srv/iso/ubuntu-24.04.3-live-server-amd64.iso'}} | homelab.netboot.images }}"
"""

RETURN = r"""
images:
  description: Name to what is known of the image. In check mode as it would be, as far as that can be known.
  returned: success
  type: dict
  contains:
    present:
      description: Whether the version is there.
      type: bool
      returned: success
    version:
      description: Its name; empty when it is not there and only a download can tell.
      type: str
      returned: success
      sample: c3514bf0056a
    folder:
      description: Where its files are, below the roots of HTTP and TFTP.
      type: str
      returned: success
      sample: images/noble/c3514bf0056a
    release:
      description: The Ubuntu release, from the ISO's C(.disk/info); V(none) as long as there is no ISO.
      type: str
      returned: success
      sample: 24.04.3
    codename:
      description: Its name; V(none) likewise.
      type: str
      returned: success
      sample: noble
    arch:
      description: The processor that it is for, as Debian calls it.
      type: str
      returned: success
      sample: amd64
    kernel:
      description: Path in the ISO.
      type: str
      returned: success
      sample: casper/vmlinuz
    initrd:
      description: Path in the ISO.
      type: str
      returned: success
      sample: casper/initrd
    small:
      description: Whether the ISO is one with only what an installation needs that has the network.
      type: bool
      returned: success
    kernel_args:
      description: What its kernel is told besides, as O(images) says it.
      type: list
      elements: str
      returned: success
    signed:
      description: Who signed the list from which the checksum is, by fingerprint and name; empty when the user gave it.
      type: str
      returned: success
      sample: 843938DF228D22F7B3742BC0D94AA3F0EFE21092 Ubuntu CD Image Automatic Signing Key (2012) <cdimage@ubuntu.com>
    sizes:
      description:
        - Bytes of C(iso), C(initrd) and the unpacked C(vmlinuz); empty as long as there is no ISO.
        - Of a smaller ISO also C(whole_iso), of the one that it was made of; as long as it is not made, without C(iso).
      type: dict
      returned: success
    changed:
      description: Whether anything was changed.
      type: bool
      returned: success
"""

import contextlib
import time
from typing import Any, Mapping

from ansible.module_utils.basic import AnsibleModule, missing_required_lib
from ansible_collections.homelab.netboot.plugins.module_utils import _noted
from ansible_collections.homelab.netboot.plugins.module_utils._errors import UserError
from ansible_collections.homelab.netboot.plugins.module_utils._image import transfer
from ansible_collections.homelab.netboot.plugins.module_utils._image.by_name import DAY
from ansible_collections.homelab.netboot.plugins.module_utils._image.iso import PYCDLIB_ERROR
from ansible_collections.homelab.netboot.plugins.module_utils._image.report import Report
from ansible_collections.homelab.netboot.plugins.module_utils._image.store import (
    CURRENT,
    RECORD,
    locked,
    sweep,
)
from ansible_collections.homelab.netboot.plugins.module_utils._image.versions import (
    ImageChange,
    Wanted,
    act,
    decide,
    facts,
    job,
    remember,
    sources,
)


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "images": {"type": "dict", "required": True},
            "quick": {"type": "bool", "default": False},
            "timeout": {"type": "int", "default": 60},
            "patience": {"type": "int", "default": 300},
            "progress": {"type": "str", "default": ""},
            **_noted.OPTION,
        },
        supports_check_mode=True,
    )
    root = module.params["path"]
    quick = module.params["quick"] and module.check_mode

    def opener(address: str, headers: Mapping[str, str] | None = None) -> Any:
        from ansible.module_utils.urls import open_url  # noqa: PLC0415 - takes long, and is seldom needed

        asked = dict(headers or {})
        return open_url(
            address, headers=asked, timeout=module.params["timeout"], http_agent="homelab.netboot"
        )

    plans, faults = [], []
    for name, image in module.params["images"].items():
        try:
            plans.append(decide(root, Wanted(name=name, **image), opener, module.check_mode, quick))
        except UserError as error:
            faults.append(f"image {name}: netboot_images: {error}")
    if faults:
        module.fail_json(msg="\n".join([*faults, "Nothing was changed."]))
    for plan in plans:
        if plan.warning:
            module.warn(f"image {plan.wanted.name}: {plan.warning}")

    if not module.check_mode and any(plan.found is None for plan in plans) and PYCDLIB_ERROR:
        hint = missing_required_lib("pycdlib") + " On Debian and Ubuntu: apt install python3-pycdlib"
        module.fail_json(msg=hint, exception=PYCDLIB_ERROR)
    try:
        with contextlib.nullcontext() if module.check_mode else locked(root), Report(
            root, module.params["progress"]
        ) as report:
            loader = transfer.Loader(opener, module.params["patience"], report.write)
            images, changes = bring(plans, module.check_mode, loader)
            if not module.check_mode:
                note(module.params["note"], plans, images)
    except UserError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=bool(changes), images=images, **({"diff": changes} if module._diff else {}))


def note(place: dict[str, str] | None, plans: list[ImageChange], images: dict[str, dict[str, Any]]) -> None:
    """Note the answer: for a day where mirrors were asked for the newest, and not at all where none answered."""
    if any(plan.warning for plan in plans):
        return
    answer = {name: {**image, "changed": False} for name, image in images.items()}
    asked = any(plan.wanted.release and not plan.wanted.version for plan in plans)
    until = time.time() + DAY if asked else None
    _noted.write(place, answer, [path for plan in plans for path in sources(plan)], until)


def bring(
    plans: list[ImageChange], check: bool, loader: transfer.Loader
) -> tuple[dict[str, dict[str, Any]], list[dict[str, str]]]:
    """Carry the plans out, or in check mode nothing; return what is known of the images, and the diffs."""
    images: dict[str, dict[str, Any]] = {}
    changes = []
    if plans and not check:
        sweep(plans[0].store.root)
        awaited = [job(plan).key for plan in plans if plan.found is None and plan.wanted.source == "url"]
        transfer.sweep(plans[0].store.root, awaited)
    for plan in plans:
        before, changed = _state(plan.current, [one.name for one in plan.kept]), plan.changed
        version = plan.found
        if changed and not check:
            try:
                version = act(plan, loader)
            except UserError as error:
                what = "What the server has of this image was not changed."
                raise UserError(f"image {plan.wanted.name}: netboot_images: {error} {what}") from error
        if not check:
            remember(plan)
        images[plan.wanted.name] = {**facts(plan, version), "changed": changed}
        if changed:
            changes += _diff(plan, before, images[plan.wanted.name])
    return images, changes


def _diff(plan: ImageChange, before: str, known: dict[str, Any]) -> list[dict[str, str]]:
    store, version = plan.store, known["version"]
    kept = [one.name for one in plan.kept if one.name != version and one.name not in plan.surplus]
    changes = [_entry(store.folder, before, _state(version or "to be downloaded", [*kept, version]))]
    if plan.found is None:
        sizes = known["sizes"]
        new = {
            store.iso_name: sizes.get("iso"),
            "vmlinuz": sizes.get("vmlinuz"),
            "initrd": sizes.get("initrd"),
        }
        for name, size in {**new, RECORD: None}.items():
            note = f"({size} bytes: created)" if size else "(created)"
            changes.append(_entry(store.path(version or "VERSION", name), "", note + "\n"))
    if plan.current != version or not version:
        old = f"(symlink to {plan.current})\n" if plan.current else ""
        changes.append(_entry(store.path(CURRENT), old, f"(symlink to {version or 'VERSION'})\n"))
    for one in plan.kept:
        if one.name in plan.surplus:
            changes += [
                _entry(store.path(one.name, name), "(removed)\n", "") for name in [*one.files, RECORD]
            ]
    return changes


def _entry(path: str, before: str, after: str) -> dict[str, str]:
    return {"before_header": path, "after_header": path, "before": before, "after": after}


def _state(current: str, kept: list[str]) -> str:
    return f"in use: {current or 'none'}\nkept: {', '.join(sorted(filter(None, kept))) or 'none'}\n"


if __name__ == "__main__":
    main()
