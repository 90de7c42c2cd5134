# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""Decide what makes a folder hold a declared set of small text files; `observe` only looks, nothing here writes."""

from __future__ import annotations

import collections
import errno
import fnmatch
import json
import os
import stat
from typing import Any, Callable, Collection, Iterable, NamedTuple, Sequence

from ansible_collections.homelab.netboot.plugins.module_utils._program.files import TEMPORARY

DIFF_FILES = 200
"""How many files a diff shows one by one; of the others only the names, a line each, since nobody reads any further."""

DIFF_BYTES = 65536
"""Up to this size a file's content is shown in a diff, and read when its size alone shows that it differs."""

_FAULTS_SHOWN = 20
_NAME_BYTES = 255  # NAME_MAX of every usual Linux file system, see limits.h(0p)


class FileSetError(Exception):
    """One message for a person: all faults that were found, one a line."""


class Entry(NamedTuple):
    """What is at one place: kind `file` or `link`, whose content is its target; None = not read (see DIFF_BYTES)."""

    kind: str
    content: bytes | None = None
    size: int = 0


class Observed(NamedTuple):
    """What is in the folder now, as far as the declared set is concerned; names are relative to it."""

    entries: dict[str, Entry]
    folders: set[str]
    """Existing ones among those that the declared files need; "" is the folder itself."""
    attributes: dict[str, dict[str, Any]]
    """Names of files and folders whose owner, mode, … differ: {"before": …, "after": …}."""
    stale: list[str]
    """Temporary files of a run that was killed."""


class Changes(NamedTuple):
    """What there is to do, in the order in which it is done. All lists are sorted."""

    stale: list[str]
    folders: list[str]
    create: list[str]
    change: list[str]
    attributes: list[str]
    remove: list[str]

    @property
    def changed(self) -> bool:
        """Whether anything but the leftovers of a killed run has to change."""
        return any((self.folders, self.create, self.change, self.attributes, self.remove))


def parse_files(text: object) -> dict[str, bytes]:
    """Return {relative name: UTF-8 content} from the JSON text of an object {name: text}.

    Raises FileSetError when it is no such text, or a name occurs twice. No message quotes a content.
    """
    if not isinstance(text, (str, bytes)):
        raise FileSetError(f"files: must be JSON text, not {_kind(text)}: pass it through the filter to_json")
    twice: list[str] = []

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(items)
        if len(found) < len(items):
            counts = collections.Counter(name for name, dummy in items)
            twice.extend(sorted(name for name, count in counts.items() if count > 1))
        return found

    try:
        files = json.loads(text, object_pairs_hook=pairs)
    except (ValueError, RecursionError) as error:
        where = (
            f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        )
        raise FileSetError(f"files: is not valid JSON{where}: pass it through the filter to_json") from None
    if not isinstance(files, dict):
        raise FileSetError(f"files: must be a JSON object of names and contents, not {_kind(files)}")
    faults = [f"files: {name!r} occurs twice" for name in twice]
    contents: dict[str, bytes] = {}
    for name, content in files.items():
        if not isinstance(content, str):
            faults.append(f"files: the content of {name!r} must be text, not {_kind(content)}")
            continue
        try:
            contents[name] = content.encode()
        except UnicodeEncodeError:
            faults.append(
                f"files: the content of {name!r} holds half of a surrogate pair, which is no character"
            )
    raise_faults(faults)
    return contents


def _kind(value: object) -> str:
    kinds = {dict: "a dictionary", list: "a list", str: "text", bool: "a boolean", type(None): "null"}
    return kinds.get(type(value), "a number" if isinstance(value, (int, float)) else type(value).__name__)


def check_names(names: Sequence[str], owned: Sequence[str]) -> None:
    """Raise FileSetError with every fault of the names; `owned` empty means that nothing is to be removed."""
    faults = [f"owned: {pattern!r} {fault}" for pattern in owned for fault in _name_faults(pattern)]
    folders = {folder for name in names for folder in folders_of(name)}
    for name in names:
        faults += [f"files: {name!r} {fault}" for fault in _name_faults(name)]
        if name in folders:
            faults.append(f"files: {name!r} is declared as a file, and as a folder of another file")
        if owned and not matches(name, owned):
            faults.append(
                f"files: {name!r} matches no pattern of owned, so it would never be removed:"
                " add a pattern to owned, or leave the file out"
            )
    raise_faults(faults)


def entries(
    files: dict[str, bytes], links: dict[str, Any], copies: dict[str, Any], later: bool
) -> dict[str, Entry]:
    """Return all that is declared: texts, symlinks, and copies of files of this host, which are read now.

    A file to be copied that is not there is a fault; or, when it comes `later` (in check mode), shown as one line.
    """
    declared = {name: Entry("file", content, len(content)) for name, content in files.items()}
    faults = [
        f"links: {name!r} leads to {target!r}, no text"
        for name, target in links.items()
        if not isinstance(target, str)
    ]
    declared.update({name: Entry("link", os.fsencode(str(target))) for name, target in links.items()})
    for name, source in copies.items():
        try:
            with open(source, "rb") as file:
                content = file.read()
        except (OSError, TypeError) as error:
            content = f"(a copy of {source}, which is not there yet)\n".encode()
            if not (later and isinstance(error, FileNotFoundError)):
                faults.append(
                    f"copies: {source}, for {name!r}: {getattr(error, 'strerror', None) or 'no path'}"
                )
        declared[name] = Entry("file", content, len(content))
    twice = collections.Counter([*files, *links, *copies])
    faults += [f"{name!r} is declared twice" for name, count in sorted(twice.items()) if count > 1]
    raise_faults(faults)
    return declared


def check_folders(folders: dict[str, Any], declared: Collection[str]) -> None:
    """Raise FileSetError with every fault of the folders that are declared for themselves."""
    faults = [f"folders: {name!r} {fault}" for name in folders if name for fault in _name_faults(name)]
    faults += [f"folders: {name!r} is declared as a file, too" for name in folders if name in declared]
    for name, attributes in folders.items():
        unknown = sorted(set(attributes or {}) - {"owner", "group", "mode"})
        if unknown:
            faults.append(f"folders: {name!r} has {', '.join(unknown)}: known are owner, group and mode")
    raise_faults(faults)


def check_commands(commands: dict[str, Any], declared: Collection[str]) -> None:
    """Raise FileSetError unless each command is for a declared file, is text, and says where the file goes."""
    faults = [f"validate: {name!r} is not among files" for name in commands if name not in declared]
    faults += [
        f"validate: the command for {name!r} needs %s where the file's path belongs"
        for name, command in commands.items()
        if "%s" not in str(command)
    ]
    raise_faults(faults)


def check_modes(modes: dict[str, Any], declared: Collection[str]) -> None:
    """Raise FileSetError unless each mode is for a declared file."""
    raise_faults([f"modes: {name!r} is not among files" for name in modes if name not in declared])


def _name_faults(name: str) -> list[str]:
    parts = name.split("/")
    checks = [
        (name.startswith("/"), "is absolute: it must be relative to path"),
        ("" in parts[1:] or name == "", "has an empty part"),
        ("." in parts or ".." in parts, "has the part . or .."),
        ("\0" in name, "holds a NUL character"),
        (any("\ud800" <= c <= "\udfff" for c in name), "holds half of a surrogate pair"),
        (
            any(len(part.encode("utf-8", "replace")) > _NAME_BYTES for part in parts),
            f"has a part of more than {_NAME_BYTES} bytes",
        ),
        (
            any(fnmatch.fnmatchcase(part, TEMPORARY) for part in parts),
            f"is named as a temporary file ({TEMPORARY})",
        ),
    ]
    return [fault for wrong, fault in checks if wrong]


def raise_faults(faults: Sequence[str]) -> None:
    """Raise FileSetError with all faults in one message (the first ones, when there are very many)."""
    if faults:
        more = len(faults) - _FAULTS_SHOWN
        shown = [*faults[:_FAULTS_SHOWN], f"and {more} more like these"] if more > 0 else faults
        raise FileSetError("\n".join(shown))


def folders_of(name: str) -> list[str]:
    """Return the folders above a relative name, outermost first: a/b/c has a and a/b."""
    parts = name.split("/")[:-1]
    return ["/".join(parts[: depth + 1]) for depth in range(len(parts))]


def matches(name: str, patterns: Sequence[str]) -> bool:
    """Whether a relative name matches a pattern part by part: as in a shell, `*` does not match a slash."""
    parts = name.split("/")
    return any(_parts_match(parts, pattern.split("/")) for pattern in patterns)


def _parts_match(parts: Sequence[str], patterns: Sequence[str]) -> bool:
    return len(parts) == len(patterns) and all(map(fnmatch.fnmatchcase, parts, patterns))


def _stale(root: str, folders: Iterable[str]) -> set[str]:
    """What a killed run left in these folders."""
    found: set[str] = set()
    for folder in folders:
        with os.scandir(os.path.join(root, folder)) as items:
            found.update(
                _join(folder, item.name)
                for item in items
                if fnmatch.fnmatchcase(item.name, TEMPORARY) and not item.is_dir(follow_symlinks=False)
            )
    return found


def observe(
    root: str,
    declared: dict[str, Entry],
    owned: Sequence[str],
    differing: Callable[[str, bool], dict[str, Any]],
    show: Callable[[str], bool],
    *,
    more: Collection[str] = (),
) -> Observed:
    """Look at what is below `root` (no symlink in it), reading each file at most once.

    `more` are folders that are needed besides those of the files. `differing(path, is a folder)` returns {} or which
    attributes differ; `show(name)` says whether the content is wanted for a diff even where it is not needed.
    Raises OSError, and FileSetError for what stands in the way.
    """
    folders, faults = _observe_folders(root, needed_folders(declared, more))
    entries: dict[str, Entry] = {}
    for name, wanted in declared.items():
        if name.rpartition("/")[0] not in folders:
            continue
        place = os.path.join(root, name)
        entry, fault = _observe_file(root, place, wanted, show(name))
        if entry is not None:
            entries[name] = entry
        faults += [fault] if fault else []
    raise_faults(faults)
    attributes = {}
    for name in sorted(folders) + sorted(entries):
        if name in folders or entries[name].kind == "file":
            found = differing(os.path.join(root, name) if name else root, name in folders)
            if found:
                attributes[name] = found
    stale = _stale(root, folders)
    for name in _walk(root, "", [pattern.split("/") for pattern in owned], stale) if "" in folders else ():
        if name not in declared:
            entry = _observe_file(root, os.path.join(root, name), None, show(name))[0]
            if entry is not None:
                entries[name] = entry
    return Observed(entries, folders, attributes, sorted(stale))


def needed_folders(declared: Collection[str], more: Collection[str] = ()) -> set[str]:
    """Return the folders above the declared names, and `more` with those above them; "" is the set's own."""
    return {"", *more}.union(*(folders_of(name) for name in [*declared, *more]))


def _observe_folders(root: str, wanted: set[str]) -> tuple[set[str], list[str]]:
    """Return which of the needed folders exist, and what stands in the way of the others."""
    folders: set[str] = set()
    faults = []
    for name in sorted(wanted):  # a folder sorts before what is in it
        path = os.path.join(root, name) if name else root
        if name and name.rpartition("/")[0] not in folders:
            continue
        try:
            mode = os.lstat(path).st_mode
        except FileNotFoundError:
            continue
        if stat.S_ISDIR(mode):
            folders.add(name)
        elif stat.S_ISLNK(mode):
            faults.append(
                f"{path} is a symlink to {os.readlink(path)}, and must be a folder: remove it first"
            )
        else:
            faults.append(f"{path} is not a folder: remove it first")
    return folders, faults


def _observe_file(root: str, path: str, wanted: Entry | None, show: bool) -> tuple[Entry | None, str]:
    """Return what is at `path`, and what speaks against the wanted entry there ("" = nothing; None is to go)."""
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return None, ""
    kind = wanted.kind if wanted else "file"
    if stat.S_ISLNK(found.st_mode):
        entry = Entry("link", os.fsencode(os.readlink(path)))
        target = os.path.realpath(path)
        if kind == "file" and os.path.commonpath([root, target]) != root:
            return entry, f"{path} is a symlink that leads out of {root}, to {target}: remove it first"
        return entry, ""
    if not stat.S_ISREG(found.st_mode):
        there = "a folder" if stat.S_ISDIR(found.st_mode) else "neither a file nor a folder"
        needed = "a symlink" if kind == "link" else "a file"
        return None, f"{path} is {there}, and must be {needed}: remove it first"
    same_size = wanted is not None and found.st_size == wanted.size
    if not same_size and not (show and found.st_size <= DIFF_BYTES):
        return Entry("file", None, found.st_size), ""
    with open(path, "rb") as file:
        content = file.read()
    return Entry("file", content, len(content)), ""


def _walk(root: str, folder: str, owned: Sequence[Sequence[str]], stale: set[str]) -> list[str]:
    """Return files and symlinks that match a pattern; enter only folders in which one could lie."""
    names = []
    try:
        with os.scandir(os.path.join(root, folder)) as scan:
            items = sorted(scan, key=lambda item: item.name)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            return []
        raise
    for item in items:
        name = _join(folder, item.name)
        below = [pattern[1:] for pattern in owned if fnmatch.fnmatchcase(item.name, pattern[0])]
        if fnmatch.fnmatchcase(item.name, TEMPORARY):
            if not item.is_dir(follow_symlinks=False):
                stale.add(name)
        elif item.is_dir(follow_symlinks=False):
            deeper = [pattern for pattern in below if pattern]
            names += _walk(root, name, deeper, stale) if deeper else []
        elif [] in below and (item.is_symlink() or item.is_file(follow_symlinks=False)):
            names.append(name)
    return names


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def make_plan(declared: dict[str, Entry], seen: Observed, more: Collection[str] = ()) -> Changes:
    """Compare the declared files, links and folders with what is there. Pure."""
    change = {name for name, wanted in declared.items() if seen.entries.get(name, wanted) != wanted}
    return Changes(
        stale=list(seen.stale),
        folders=sorted(needed_folders(declared, more) - seen.folders),
        create=sorted(name for name in declared if name not in seen.entries),
        change=sorted(change),
        attributes=sorted(name for name in seen.attributes if name not in change),
        remove=sorted(name for name in seen.entries if name not in declared),
    )


def make_diff(
    root: str, plan: Changes, declared: dict[str, Entry], seen: Observed, hidden: Sequence[str]
) -> list[dict[str, Any]]:
    """Return Ansible's diff entries, one a changed file; the last one names those that are not shown. Pure."""
    kinds = dict.fromkeys(plan.create, "created")
    kinds.update(dict.fromkeys(plan.change, "changed"))
    kinds.update(dict.fromkeys(plan.remove, "removed"))
    filled = {folder for name in kinds for folder in folders_of(name)}  # their files say that they are new
    diff = [_headed(root, name, "", "folder created\n") for name in plan.folders if name not in filled - {""}]
    names = [*plan.attributes, *sorted(kinds)]
    named = {name for name in kinds if matches(name, hidden)}
    shown = [name for name in names if name not in named][:DIFF_FILES]
    for name in shown:
        if name not in kinds:
            found = seen.attributes[name]
            diff.append(_headed(root, name, found["before"], found["after"]))
            continue
        before = seen.entries.get(name)
        after = declared.get(name)
        note = f": {kinds[name]}"  # on one side only, so that the two sides always differ
        diff.append(_headed(root, name, _shown(before, "" if after else note), _shown(after, note)))
    more = [
        f"{os.path.join(root, name)}: {kinds.get(name, 'attributes changed')}\n"
        for name in sorted({*names} - {*shown})
    ]
    if more:
        diff.append({"prepared": "Only named here, not shown:\n" + "".join(more)})
    return diff


def _headed(root: str, name: str, before: object, after: object) -> dict[str, Any]:
    path = os.path.join(root, name) if name else root
    return {"before_header": path, "after_header": path, "before": before, "after": after}


def _shown(entry: Entry | None, note: str) -> str:
    if entry is None:
        return ""
    if entry.kind == "link":
        return f"(symlink to {os.fsdecode(entry.content or b'')})\n"
    if entry.content is None or not 0 < entry.size <= DIFF_BYTES or b"\0" in entry.content:
        return f"({entry.size} bytes{note})\n"
    return entry.content.decode("utf-8", "replace")
