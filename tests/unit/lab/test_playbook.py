# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks are found in what ansible-playbook prints."""

from __future__ import annotations

from tests.lab.playbook import Task, Tasks

OUTPUT = """
PLAY [Make the netboot servers serve what the inventory says] ******

TASK [homelab.netboot.pxe_http : Install nginx] ********************
changed: [a]
ok: [b]

TASK [Only asked] **************************************************
skipping: [a]

TASK [Check] *******************************************************
ok: [a] => (item=x)
fatal: [b]: FAILED! => changed=false

RUNNING HANDLER [homelab.netboot.pxe_http : Reload nginx] **********
changed: [a]

PLAY RECAP *********************************************************
a : ok=3 changed=2
"""


def test_tasks() -> None:
    ticks = iter(range(100))
    tasks = Tasks(clock=lambda: float(next(ticks)))
    done = [task for line in OUTPUT.splitlines() if (task := tasks.feed(line))]
    assert [(task.name, task.state) for task in done] == [
        ("homelab.netboot.pxe_http : Install nginx", "changed"),
        ("Only asked", "skipping"),
        ("Check", "failed"),
        ("homelab.netboot.pxe_http : Reload nginx", "changed"),
    ]
    assert isinstance(done[0], Task)
    assert done[0].seconds > 0
