# SPDX-License-Identifier: GPL-3.0-or-later
"""The module as Ansible runs it. That it foretells what the program does, every test of the program shows (box.py)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.homelab.netboot.plugins.modules import machine_states_info

Run = Callable[..., Any]
NUC1 = {"mac": "52:54:00:00:00:01", "image": "noble", "install": "once", "wipe": "blank", "host_key": ""}
NUC2 = {"mac": "52:54:00:00:00:02", "image": "noble", "install": "always", "wipe": "always", "host_key": ""}
NUC3 = {"mac": "52:54:00:00:00:03", "image": "noble", "install": "never", "wipe": "blank", "host_key": ""}


@pytest.fixture(name="run")
def _run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(**machines: Any) -> Any:
        arguments = {"machines": machines, "root": str(tmp_path / "root"), "state": str(tmp_path / "state")}
        with patch_module_args(arguments), pytest.raises(SystemExit):
            machine_states_info.main()
        return json.loads(capsys.readouterr().out)

    return run


def test_a_bare_server_arms_all_and_nothing_is_made(run: Run, tmp_path: Path) -> None:
    told = run(nuc1=NUC1, nuc2=NUC2, nuc3=NUC3)
    assert told["armed"] == {
        "nuc1": {"image": "noble", "wipe": "blank"},
        "nuc2": {"image": "noble", "wipe": "always"},
    }
    assert told["said"] == ["nuc3: local: netboot_install: never"]
    assert told["changed"] is False
    assert list(tmp_path.iterdir()) == []


def test_a_machine_that_the_server_had_before_is_not_armed(run: Run, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state/known.json").write_text(json.dumps([NUC1["mac"]]))
    told = run(nuc1=NUC1)
    assert told["armed"] == {}
    assert told["said"] == [
        "nuc1: local: its state was lost; to install it, run the playbook homelab.netboot.arm"
    ]


def test_what_is_no_list_of_machines_is_refused(run: Run) -> None:
    for entry in ({**NUC1, "install": "perhaps"}, {"mac": NUC1["mac"]}, "nuc1"):
        assert run(nuc1=entry)["msg"].startswith("machines: not a list of machines")
