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
      - One entry for each file, folder or set of attributes that differs, 200 at most; one more names the other files,
        and those that match O(hidden).
      - Of files above 64 KiB only the kind of the change is shown.
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
      - It is text and not a dictionary, since contents may be secrets. So this option is never logged. A
        dictionary is refused. Ansible would take each of its contents for a secret, and hide it wherever it
        occurs in what the module returns, even in the names of files.
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
  hidden:
    description:
      - Patterns, as in O(owned), of the names of files that a diff only names, and does not show.
      - They are secret, or nobody wants to read them there.
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
  more:
    description:
      - Further sets, each with the options above, O(path) among them. A call costs more than what it does, so what
        belongs together is written by one.
      - All are read and compared before the first is written; then each is written by itself, in this order.
    type: list
    elements: dict
    default: []
    version_added: 1.0.0
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
    hidden:
      - "*/user-data"
    owner: root
    group: www-data
    mode: "0640"
    directory_mode: "0750"

- name: A service's configuration, and the folder that it serves
  homelab.netboot.file_set:
    path: /etc
    files: "{{ {'netboot/nginx.conf': configuration} | to_json }}"
    more:
      - path: /srv/netboot/http
        folders: {"": {mode: "0755"}}
        owner: root
"""

RETURN = r"""
created:
  description: Relative names of the files that were missing, sorted; as in the others, those of O(more) among them.
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
from typing import Any, Collection

from ansible.module_utils.basic import FILE_COMMON_ARGUMENTS, AnsibleModule
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.homelab.netboot.plugins.module_utils import _file_set
from ansible_collections.homelab.netboot.plugins.module_utils._program.files import Batch

ARGUMENTS = {
    "path": {"type": "path", "required": True},
    "files": {"type": "raw", "default": "{}", "no_log": True},
    "copies": {"type": "dict", "default": {}},
    "links": {"type": "dict", "default": {}},
    "folders": {"type": "dict", "default": {}},
    "owned": {"type": "list", "elements": "str", "default": []},
    "hidden": {"type": "list", "elements": "str", "default": []},
    "validate": {"type": "dict", "default": {}},
    "modes": {"type": "dict", "default": {}},
    "directory_mode": {"type": "raw"},
}


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **ARGUMENTS,
            "more": {"type": "list", "elements": "dict", "default": [], "no_log": True},  # files are in it
        },
        add_file_common_args=True,
        supports_check_mode=True,
    )
    sets = [_Set(module, params) for params in (module.params, *_more(module))]
    # From here on nothing but these texts is secret. A dictionary given by mistake has made each of its leaves one.
    module.no_log_values.clear()
    # From 2.22 on the controller is told what to hide, in all that it shows: it would be paths and modes of `more`.
    if hasattr(module, "_new_secrets"):
        module._new_secrets.flush()
    for one in sets:
        one.look()
    result: dict[str, Any] = {
        "changed": any(one.plan.changed for one in sets),
        "created": sorted(name for one in sets for name in one.plan.create),
        "changed_files": sorted(
            name for one in sets for name in {*one.plan.change, *one.plan.attributes} - one.seen.folders
        ),
        "removed": sorted(name for one in sets for name in one.plan.remove),
        "count": sum(len(one.declared) for one in sets),
    }
    if module._diff:
        result["diff"] = [entry for one in sets for entry in one.diff()]
    if not module.check_mode:
        for one in sets:
            _apply(module, one)
    module.exit_json(**result)


def _more(module: AnsibleModule) -> list[dict[str, Any]]:
    """Return the further sets, each checked as if it were the only one. What is logged does not show them."""
    found = [
        ArgumentSpecValidator({**ARGUMENTS, **FILE_COMMON_ARGUMENTS}).validate(one)
        for one in module.params["more"]
    ]
    for number, one in enumerate(found):
        if one.error_messages:
            module.fail_json(msg=f"more[{number}]: {'; '.join(one.error_messages)}; nothing was changed")
    module.params["more"] = [{**one.validated_parameters, "files": "(not shown)"} for one in found]
    return [one.validated_parameters for one in found]


class _Set:
    """One set: what is declared, what is there, and what is to be done about it."""

    declared: dict[str, _file_set.Entry]
    seen: _file_set.Observed
    plan: _file_set.Changes

    def __init__(self, module: AnsibleModule, params: dict[str, Any]) -> None:
        self.module, self.params = module, params
        self.text, params["files"] = params["files"], "(not shown)"
        self.root = os.path.realpath(params["path"])

    def look(self) -> None:
        """Read what is there and decide; end the module with what is wrong."""
        module, params, more = self.module, self.params, self.params["folders"]
        try:
            if not os.path.isabs(params["path"]):
                raise _file_set.FileSetError(f"path: {params['path']} is not absolute")
            files = _file_set.parse_files(self.text)
            declared = _file_set.entries(files, params["links"], params["copies"], module.check_mode)
            _file_set.check_names(list(declared), params["owned"])
            _file_set.check_folders(more, declared)
            _file_set.check_commands(params["validate"], declared)
            _file_set.check_modes(params["modes"], declared)
            self.attributes = _Attributes(module, params, self.root)
            differing = self.attributes.differing
            self.seen = _file_set.observe(
                self.root, declared, params["owned"], differing, self._is_shown, more=more
            )
            self.declared, self.plan = declared, _file_set.make_plan(declared, self.seen, more)
        except _file_set.FileSetError as error:
            module.fail_json(msg=str(error))
        except OSError as error:
            module.fail_json(msg=f"cannot read {error.filename}: {error.strerror}; nothing was changed")

    def _is_shown(self, name: str) -> bool:
        return bool(self.module._diff) and not _file_set.matches(name, self.params["hidden"])

    @property
    def nothing(self) -> str:
        """What to say when none of its files was changed; those of sets before it may have been."""
        return "no file " + (f"below {self.root} " if self.module.params["more"] else "") + "was changed"

    def diff(self) -> list[dict[str, Any]]:
        """Return what Ansible shows of it."""
        return _file_set.make_diff(self.root, self.plan, self.declared, self.seen, self.params["hidden"])


class _Attributes:
    """Owner, group and mode of files and folders; names are looked up once, and not for each file."""

    def __init__(self, module: AnsibleModule, params: dict[str, Any], root: str) -> None:
        self.module = module
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


def _apply(module: AnsibleModule, one: _Set) -> None:
    """Carry out the plan; a failure says what stands now. A rerun completes whatever was begun."""
    done = nothing = one.nothing
    params, root, plan, declared = one.params, one.root, one.plan, one.declared
    set_attributes = one.attributes.set
    umask = os.umask(0)
    os.umask(umask)
    try:
        for name in plan.stale:
            os.unlink(os.path.join(root, name))
        above = _missing_above(root) if "" in plan.folders else []
        for path in [*above, *(os.path.join(root, name) if name else root for name in plan.folders)]:
            os.makedirs(path, exist_ok=True)
            set_attributes(path, folder=True)
        if str(params["mode"])[0].isdigit():
            os.umask(0o077)  # a new file is private until it has its mode; others are relative to the umask
        with Batch() as batch:
            for name in sorted([*plan.create, *plan.change]):
                content, place = declared[name].content or b"", os.path.join(root, name)
                if declared[name].kind == "link":
                    batch.link(place, os.fsdecode(content))
                    continue
                written = batch.add(place, content, partial(set_attributes, place=place))
                if name in params["validate"]:
                    _ask(module, place, params["validate"][name].replace("%s", written), nothing)
            done = "files that come before it in the alphabet may have been written"
            batch.commit()
        done = "all contents were written"
        for name in plan.attributes:
            set_attributes(os.path.join(root, name) if name else root, name not in declared)
        for name in plan.remove:
            os.unlink(os.path.join(root, name))
            _remove_empty(root, name, params["folders"])
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


def _ask(module: AnsibleModule, path: str, command: str, nothing: str) -> None:
    """Let a program judge what is to be put in place; nothing is, when it refuses."""
    try:
        code, out, err = module.run_command(command, handle_exceptions=False)
    except OSError as error:
        module.fail_json(msg=f"{path}: cannot run `{command}`: {error.strerror}; {nothing}")
    if code != 0:
        said = (err or out).strip()
        module.fail_json(msg=f"{path}: `{command}` refuses the new content: {said}; {nothing}")


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
