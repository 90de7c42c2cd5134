# SPDX-License-Identifier: GPL-3.0-or-later
"""No task loops over machines: a set of machines is one value of one task, whatever their number.

This reads the tasks; molecule/check_mode counts their results.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
SOURCES = sorted(
    {*ROOT.glob("roles/*/tasks/*.yml"), *ROOT.glob("roles/*/handlers/*.yml"), *ROOT.glob("playbooks/*.yml")}
)
#: What stands for machines in an expression: the group, Ansible's variables of hosts, and variables named so.
MACHINES = re.compile(r"\b(groups|hostvars|ansible_play_(?:hosts|batch)\w*|\w*machines?\w*)\b")
LOOPS = re.compile(r"loop|with_\w+")


def tasks(value: Any) -> Iterator[dict[str, Any]]:
    """All tasks below: those of plays, of blocks, and of what rescues them."""
    for item in value if isinstance(value, list) else []:
        yield item
        for key in ("pre_tasks", "tasks", "post_tasks", "handlers", "block", "rescue", "always"):
            yield from tasks(item.get(key))


def variables(path: Path) -> dict[str, Any]:
    """The variables of the role that a file belongs to."""
    found: dict[str, Any] = {}
    for folder in ("defaults", "vars"):
        for source in (path.parents[1] / folder).glob("*.yml"):
            found.update(yaml.safe_load(source.read_text()) or {})
    return found


def machines_in(expression: Any, known: Mapping[str, Any], seen: frozenset[str] = frozenset()) -> str:
    """How an expression leads to the machines, such as C(a ← b ← groups); empty when it does not."""
    for word in re.findall(
        r"[A-Za-z_][\w.]*", re.sub(r"groups\['netboot_(servers|caches)'\]", "", str(expression))
    ):
        if MACHINES.fullmatch(word) or MACHINES.fullmatch(word.split(".")[0]):
            return str(word)
        if word in known and word not in seen and (way := machines_in(known[word], known, seen | {word})):
            return f"{word} ← {way}"
    return ""


def loops_over_machines(text: str, known: Mapping[str, Any]) -> list[str]:
    """The tasks, and the plays, that are done once for each machine."""
    faults = []
    for task in tasks(yaml.safe_load(text)):
        local = {**known, **(task.get("vars") or {})}
        # a play of which every task is done once only takes from the machines' group what -l leaves of it
        if task.get("hosts") and all(one.get("run_once") is True for one in task.get("tasks") or [{}]):
            continue
        for key in task:
            if LOOPS.fullmatch(key) and (way := machines_in(task[key], local)):
                faults.append(f"{task.get('name')}: {key}: {way}")
        for key in ("hosts", "delegate_to"):
            if key in task and (way := machines_in(task[key], local)):
                faults.append(f"{task.get('name')}: {key}: {way}")
    return faults


#: What is done for each machine by itself, when the user asks for it: to start it, and to wait for it and configure it.
ON_MACHINES = {
    f"{file}.yml": f"{play}: hosts: netboot_machines"
    for file, play in {
        "start_ways": "See how machines are started",
        "start_now": "Start machines",
        "provision_ask": "See who is to be installed",
        "provision_wait": "Wait until they are up",
        "provision_known": "Know machines by their host keys",
        "provision_nothing": "Nothing more is wanted",
        "provision_role": "Run a role",
        "provision_told": "Tell what came of machines",
    }.items()
}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_task_loops_over_machines(path: Path) -> None:
    assert loops_over_machines(path.read_text(), variables(path)) == [
        text for name, text in ON_MACHINES.items() if name == path.name
    ]


@pytest.mark.parametrize(
    "task",
    [
        "loop: \"{{ groups['netboot_machines'] }}\"",
        "with_items: \"{{ a_role_machines | map(attribute='name') }}\"",
        'loop: "{{ files | dict2items }}"',
        'loop: "{{ own }}"\n  vars: {own: "{{ files }}"}',
        'with_nested: [[a, b], "{{ files }}"]',
        "delegate_to: \"{{ groups['netboot_machines'] | first }}\"",
        "hosts: netboot_machines",
    ],
)
def test_one_is_found(task: str) -> None:
    known = {"files": "{{ checked | homelab.netboot.seed_files }}", "checked": "{{ a_role_machines }}"}
    assert loops_over_machines(f"- name: x\n  {task}\n", known)
    assert loops_over_machines(
        f"- name: y\n  block:\n    - name: x\n      {task.replace(chr(10), chr(10) + '    ')}\n", known
    )


def test_other_loops_are_not() -> None:
    assert not loops_over_machines(
        '- loop: "{{ images | dict2items }}"\n', {"images": "{{ netboot_images }}"}
    )


def test_roles_read_what_the_inventory_says_of_machines_in_one_place() -> None:
    """To read a host's variables costs Ansible more than all else, so role netboot reads them for the others, once."""
    reading = {
        str(path.relative_to(ROOT))
        for folder in ("tasks", "vars", "handlers", "templates")
        for path in ROOT.glob(f"roles/*/{folder}/*")
        if re.search(r"(?<!_)\bnetboot_machines\b", path.read_text())
    }
    assert reading == {"roles/netboot/tasks/main.yml", "roles/netboot/vars/main.yml"}
