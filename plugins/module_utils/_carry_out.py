# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""Carry out a plan that puts files into a folder: contents, then owner and mode of what stays, then the diff."""

from __future__ import annotations

from typing import Any, Callable, Protocol, Sequence, TypeVar


class PlannedFile(Protocol):
    """A file of a plan: its place on the target, and whether it is (to be) written."""

    path: str
    changed: bool


F = TypeVar("F", bound=PlannedFile)
P = TypeVar("P")


def carry_out(
    module: Any,
    plan: P,
    files: Sequence[F],
    *,
    act: Callable[[P, Callable[..., bool]], None],
    remember: Callable[[P], None],
    describe: Callable[[F], tuple[str, str]],
) -> list[dict[str, str]]:
    """Do what the plan says, or in check mode nothing; mark as changed what differs in owner or mode only.

    `act(plan, set_attributes)` writes the files; `remember(plan)` notes that it is done; `describe(file)` gives
    the texts before and after for the diff, which is returned.
    """

    def set_attributes(file: F, path: str, diff: dict[str, Any] | None = None) -> bool:
        """Set owner and mode that the file shall have on what is at path; tell whether that changed any."""
        arguments = module.load_file_common_arguments(module.params, path=file.path)
        return bool(module.set_fs_attributes_if_different({**arguments, "path": path}, False, diff))

    written = [file for file in files if file.changed]
    if not module.check_mode:
        act(plan, set_attributes)
    changes = [_entry(file.path, *describe(file)) for file in written]
    for file in files:
        if not file.changed:
            found: dict[str, Any] = {}
            file.changed = set_attributes(file, file.path, found)
            if file.changed:
                changes.append(
                    _entry(file.path, _text(found.get("before", {})), _text(found.get("after", {})))
                )
    if not module.check_mode:
        remember(plan)
    return changes


def _entry(path: str, before: str, after: str) -> dict[str, str]:
    return {"before_header": path, "after_header": path, "before": before, "after": after}


def _text(attributes: dict[str, Any]) -> str:
    return "".join(f"{name}: {value}\n" for name, value in sorted(attributes.items()))
