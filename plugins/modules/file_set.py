#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: file_set
short_description: Makes a folder hold exactly a declared set of small files
version_added: 1.0.0
description:
  - Writes any number of small files, symlinks and folders in one call, and removes the files that an earlier call
    wrote and that are no longer declared.
  - What a task with C(ansible.builtin.template) in a loop does in minutes for a few hundred files takes seconds here.
  - Whoever reads a file while this module runs sees the old content or the new one, never a part.
    New contents are all written beside their places, and on the disk, before the first one is put in place; so a
    full disk changes no file.
  - A run that was killed leaves no file half-written. The next run completes it and removes what the killed one
    left (files named C(.netboot-*.part)); that alone does not count as a change.
author:
  - The homelab.netboot contributors (@homelab-netboot)
attributes:
  check_mode:
    support: full
    description: Says exactly what would change, and changes nothing.
  diff_mode:
    support: full
    description:
      - One entry for each file, folder or set of attributes that differs, 200 at most; one more names the other files.
      - Of files above 64 KiB, and of those that match O(sensitive), only the kind of the change is shown.
  idempotent:
    support: full
    description: A second run with the same options changes nothing.
  platform:
    support: full
    platforms: posix
    description: Runs on POSIX systems; tested on Debian.
options:
  path:
    description:
      - Absolute path of the folder. It is created when it is missing; it may itself be a symlink to a folder.
    type: path
    required: true
  files:
    description:
      - >-
        The files, as the JSON text of an object of relative names and contents, for example
        C({"a/b": "text\\n"}). Write C(files: "{{ files | to_json }}").
      - It is text and not a dictionary, since contents may be secrets. This option is therefore never logged; and
        of a dictionary Ansible would take each single content for a secret and replace it with asterisks wherever
        it occurs in what the module returns, even in the names of files. A dictionary is refused.
      - Names are separated by slashes and lie below O(path). Files are encoded in UTF-8.
      - No folder on the way to a file may be a symlink. A symlink in the place of a file is replaced by the
        file when it leads to something below O(path), and refused when it leads out of O(path).
    type: raw
    default: "{}"
  copies:
    description:
      - Relative names, as in O(files), and the absolute paths of files on the same host that they are copies of;
        small ones, since they are held in memory.
      - In check mode one that is not there counts as one that will be, since a package that is yet to be installed
        may bring it; otherwise it is an error.
    type: dict
    default: {}
  links:
    description: Relative names, as in O(files), of symlinks, and what each leads to. Nothing needs to be there.
    type: dict
    default: {}
  folders:
    description:
      - Relative names of folders that are to be there, besides those of the files; V("") is O(path) itself.
      - The value says how C(owner), C(group) and C(mode) differ from O(owner), O(group) and O(directory_mode);
        it may be empty. They are never removed.
    type: dict
    default: {}
  owned:
    description:
      - Patterns of the relative names that this set could have written. Files and symlinks that match one of them,
        and are not declared, are removed; so are folders that become empty by that.
      - Nothing else is ever touched. With an empty list, nothing is removed.
      - Each name in O(files) has to match one of the patterns, when there are any.
      - Patterns are those of a shell (V(*), V(?), V([seq])); V(*) does not match a slash.
    type: list
    elements: str
    default: []
  sensitive:
    description:
      - Patterns, as in O(owned), of the names of files of which a diff must not show the contents.
    type: list
    elements: str
    default: []
  validate:
    description:
      - Names in O(files) and the command that has to accept the file before any file of the set is put in place,
        with V(%s) for its path, as in M(ansible.builtin.template). Asked only of files that are new or differ.
      - The file has another name then, so it does not suit a program that reads the files beside it as well.
    type: dict
    default: {}
  modes:
    description: Names in O(files), and the mode of each that differs from O(mode), such as V('0755') for a program.
    type: dict
    default: {}
  directory_mode:
    description:
      - Mode of O(path), of the folders below it that hold declared files, and of those above it that are missing,
        as for O(mode).
      - When not given, new folders get what the umask leaves, and existing ones stay as they are.
    type: raw
  mode:
    description:
      - Mode of the declared files, for example V('0644') or V(u=rw,g=r,o=).
      - When not given, new files get what the umask leaves, and existing ones keep theirs.
  owner:
    description: Owner of the declared files, of O(path), of the folders between, and of those above that are missing.
  group:
    description: Group of the declared files, of O(path), of the folders between, and of those above that are missing.
  unsafe_writes:
    description: Has no effect here; files are always replaced atomically.
extends_documentation_fragment:
  - ansible.builtin.files
seealso:
  - module: ansible.builtin.copy
  - module: ansible.builtin.template
"""

EXAMPLES = r"""
- name: Two files, and nothing else is touched
  homelab.netboot.file_set:
    path: /srv/netboot/tftp
    files: "{{ {'pxelinux.cfg/default': 'LOCALBOOT 0\n', 'motd': 'hello\n'} | to_json }}"
    mode: "0644"

- name: A service's configuration and its unit's, in one go; the program itself says whether it is good
  homelab.netboot.file_set:
    path: /etc
    files: "{{ {'dnsmasq.d/a.conf': a, 'systemd/system/dnsmasq.service.d/a.conf': b} | to_json }}"
    validate: {dnsmasq.d/a.conf: "dnsmasq --test --conf-file=%s"}
    mode: "0644"

- name: Loaders that a package brought, a link, and a folder that a service may write to
  homelab.netboot.file_set:
    path: /srv/netboot/tftp
    copies: {lpxelinux.0: /usr/lib/PXELINUX/lpxelinux.0}
    links: {images: ../http/images}
    folders: {upload: {owner: www-data, mode: "0730"}}
    mode: "0644"

- name: Seeds of all machines; those of machines that left the inventory go
  homelab.netboot.file_set:
    path: /srv/netboot/http/machines
    files: "{{ seeds | to_json }}" # {"nuc1/user-data": "#cloud-config\n…", "nuc1/meta-data": "…"}
    owned:
      - "*/user-data"
      - "*/meta-data"
    sensitive:
      - "*/user-data"
    owner: root
    group: www-data
    mode: "0640"
    directory_mode: "0750"
"""

RETURN = r"""
created:
  description: Relative names of the files that were missing, sorted.
  returned: success
  type: list
  elements: str
  sample: [nuc1/meta-data, nuc1/user-data]
changed_files:
  description: Relative names of the files whose content, owner, group or mode changed, sorted.
  returned: success
  type: list
  elements: str
  sample: []
removed:
  description: Relative names of the files that were removed, sorted.
  returned: success
  type: list
  elements: str
  sample: [old-machine/user-data]
count:
  description: Number of declared files.
  returned: success
  type: int
  sample: 2
"""

import grp
import os
import pwd
from functools import partial
from typing import Any, Callable, Collection

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.homelab.netboot.plugins.module_utils import _file_set
from ansible_collections.homelab.netboot.plugins.module_utils._program.files import Batch

ARGUMENTS = {
    "path": {"type": "path", "required": True},
    "files": {"type": "raw", "default": "{}", "no_log": True},
    "copies": {"type": "dict", "default": {}},
    "links": {"type": "dict", "default": {}},
    "folders": {"type": "dict", "default": {}},
    "owned": {"type": "list", "elements": "str", "default": []},
    "sensitive": {"type": "list", "elements": "str", "default": []},
    "validate": {"type": "dict", "default": {}},
    "modes": {"type": "dict", "default": {}},
    "directory_mode": {"type": "raw"},
}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, add_file_common_args=True, supports_check_mode=True)
    params = module.params
    # From here on nothing but this text is secret. A dictionary given by mistake has made each of its leaves one.
    text, params["files"] = params["files"], "(not shown)"
    module.no_log_values.clear()
    root = os.path.realpath(params["path"])
    try:
        if not os.path.isabs(params["path"]):
            raise _file_set.FileSetError(f"path: {params['path']} is not absolute")
        declared = _file_set.entries(
            _file_set.parse_files(text), params["links"], params["copies"], module.check_mode
        )
        _file_set.check_names(list(declared), params["owned"])
        _file_set.check_folders(params["folders"], declared)
        _file_set.check_commands(params["validate"], declared)
        _file_set.check_modes(params["modes"], declared)
        attributes = _Attributes(module, root)
        more = params["folders"]
        seen = _file_set.observe(
            root, declared, params["owned"], attributes.differing, _wanted(module), more=more
        )
        plan = _file_set.make_plan(declared, seen, more)
    except _file_set.FileSetError as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(msg=f"cannot read {error.filename}: {error.strerror}; nothing was changed")

    result: dict[str, Any] = {
        "changed": plan.changed,
        "created": plan.create,
        "changed_files": sorted({*plan.change, *plan.attributes} - seen.folders),
        "removed": plan.remove,
        "count": len(declared),
    }
    if module._diff:
        result["diff"] = _file_set.make_diff(root, plan, declared, seen, params["sensitive"])
    if not module.check_mode:
        _apply(module, root, plan, declared, attributes.set)
    module.exit_json(**result)


class _Attributes:
    """Owner, group and mode of files and folders; names are looked up once, and not for each file."""

    def __init__(self, module: AnsibleModule, root: str) -> None:
        self.module = module
        params = module.params
        for option in ("owner", "group"):
            params[option] = self._number(option, params[option])
        self.files = module.load_file_common_arguments(params, root)
        self.folders = {**self.files, "mode": params["directory_mode"], "attributes": None, "attr_flags": ""}
        self.special = {os.path.join(root, name): {"mode": mode} for name, mode in params["modes"].items()}
        for name, given in params["folders"].items():
            own = {option: self._number(option, value) for option, value in (given or {}).items()}
            self.special[os.path.join(root, name) if name else root] = own

    def _number(self, option: str, name: Any) -> Any:
        if option == "mode" or name is None or str(name).isdigit():
            return name
        try:
            return str(pwd.getpwnam(name).pw_uid if option == "owner" else grp.getgrnam(name).gr_gid)
        except KeyError:
            if self.module.check_mode:
                return None  # a package that is yet to be installed may bring it
            self.module.fail_json(msg=f"{option}: there is no {name} on this host")

    def _of(self, path: str, folder: bool, place: str = "") -> dict[str, Any]:
        usual = self.folders if folder else self.files
        return {**usual, **self.special.get(place or path, {}), "path": path}

    def differing(self, path: str, folder: bool) -> dict[str, Any]:
        """Return which differ, as a diff does; empty when none does."""
        difference: dict[str, Any] = {}
        real, self.module.check_mode = self.module.check_mode, True  # AnsibleModule then only compares
        self.module.set_fs_attributes_if_different(self._of(path, folder), False, difference, expand=False)
        self.module.check_mode = real
        return difference

    def set(self, path: str, folder: bool = False, place: str = "") -> None:
        """Set them. place: what `path` is to become, when it is not there yet."""
        self.module.set_fs_attributes_if_different(self._of(path, folder, place), False, expand=False)


def _wanted(module: AnsibleModule) -> Callable[[str], bool]:
    sensitive = module.params["sensitive"]
    return lambda name: bool(module._diff) and not _file_set.matches(name, sensitive)


def _apply(
    module: AnsibleModule,
    root: str,
    plan: _file_set.Changes,
    declared: dict[str, _file_set.Entry],
    set_attributes: Callable[..., None],
) -> None:
    """Carry out the plan; a failure says what stands now. A rerun completes whatever was begun."""
    done = "no file was changed"
    umask = os.umask(0)
    os.umask(umask)
    try:
        for name in plan.stale:
            os.unlink(os.path.join(root, name))
        above = _missing_above(root) if "" in plan.folders else []
        for path in [*above, *(os.path.join(root, name) if name else root for name in plan.folders)]:
            os.makedirs(path, exist_ok=True)
            set_attributes(path, folder=True)
        if str(module.params["mode"])[0].isdigit():
            os.umask(0o077)  # a new file is private until it has its mode; others are relative to the umask
        with Batch() as batch:
            for name in sorted([*plan.create, *plan.change]):
                content, place = declared[name].content or b"", os.path.join(root, name)
                if declared[name].kind == "link":
                    batch.link(place, os.fsdecode(content))
                    continue
                written = batch.add(place, content, partial(set_attributes, place=place))
                if name in module.params["validate"]:
                    _ask(module, place, module.params["validate"][name].replace("%s", written))
            done = "files that come before it in the alphabet may have been written"
            batch.commit()
        done = "all contents were written"
        for name in plan.attributes:
            set_attributes(os.path.join(root, name) if name else root, name not in declared)
        for name in plan.remove:
            os.unlink(os.path.join(root, name))
            _remove_empty(root, name, module.params["folders"])
    except OSError as error:
        path = error.filename2 or error.filename
        module.fail_json(msg=f"cannot write {path}: {error.strerror}; {done}; run again to complete")
    finally:
        os.umask(umask)


def _missing_above(root: str) -> list[str]:
    """Return the folders above the set's own that are missing, too, outermost first."""
    missing: list[str] = []
    folder = os.path.dirname(root)
    while not os.path.lexists(folder):
        missing.insert(0, folder)
        folder = os.path.dirname(folder)
    return missing


def _ask(module: AnsibleModule, path: str, command: str) -> None:
    """Let a program judge what is to be put in place; nothing is, when it refuses."""
    try:
        code, out, err = module.run_command(command, handle_exceptions=False)
    except OSError as error:
        module.fail_json(msg=f"{path}: cannot run `{command}`: {error.strerror}; no file was changed")
    if code != 0:
        said = (err or out).strip()
        module.fail_json(msg=f"{path}: `{command}` refuses the new content: {said}; no file was changed")


def _remove_empty(root: str, name: str, declared: Collection[str]) -> None:
    """Remove the folders above a removed file, as far as they are empty and not declared, but never `root`."""
    for folder in reversed(_file_set.folders_of(name)):
        if folder in declared:
            return
        try:
            os.rmdir(os.path.join(root, folder))
        except OSError:
            return  # not empty: it stays


if __name__ == "__main__":
    main()
