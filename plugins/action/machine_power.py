# SPDX-License-Identifier: GPL-3.0-or-later
"""See plugins/modules/machine_power.py. On the controller, since it runs other modules, which need not be installed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory import power as inventory
from ansible_collections.homelab.netboot.plugins.plugin_utils._plain import plain
from ansible_collections.homelab.netboot.plugins.plugin_utils._start import bmc


class ActionModule(ActionBase):  # type: ignore[misc]
    """Asks a BMC, and has it start its machine. What it returns holds no password: neither the modules' nor its own."""

    TRANSFERS_FILES = False

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Ask always, and start when that is wanted."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _checked, given = self.validate_argument_spec(
            {
                "machine": {"type": "str", "required": True},
                "power": {"type": "dict", "required": True, "no_log": True},
                "state": {"type": "str", "choices": ["asked", "started"], "default": "started"},
            }
        )
        power = plain(given["power"])
        who = f"machine {given['machine']}: netboot_power"
        if faults := inventory.faults(power) or ([] if power else [f"must be {inventory.EXAMPLE}"]):
            raise AnsibleActionFail("\n".join(f"{who}: {fault}" for fault in faults))
        is_start = given["state"] == "started"
        try:
            runs = bmc.is_on(power, self._call(bmc.question(power), task_vars))
            if is_start and not self._task.check_mode:
                for call in bmc.calls(power, runs=runs):
                    answer = self._call(call, task_vars)
                    if answer.get("failed"):
                        raise bmc.BmcError(bmc.told(answer))
        except bmc.BmcError as error:
            rest = "" if is_start else f" ({given['machine']} was left as it is)"
            raise AnsibleActionFail(f"{who}: {power['type']} at {power['address']}: {error}{rest}") from None
        return result | {"changed": is_start, "was_on": runs}

    def _call(self, call: bmc.Call, task_vars: dict[str, Any] | None) -> Mapping[str, Any]:
        """Run a module of another collection on the host that the task is delegated to."""
        loader = self._shared_loader_obj.module_loader
        if not loader.find_plugin_with_context(call.module).resolved:
            raise bmc.BmcError(f"the collection community.general is not installed: {bmc.INSTALL}")
        before = self._task.check_mode
        # a question may be the module's own check mode, also in a run that is none
        self._task.check_mode = call.is_question
        try:
            answer: Mapping[str, Any] = self._execute_module(
                module_name=call.module, module_args=dict(call.options), task_vars=task_vars
            )
        finally:
            self._task.check_mode = before
        return answer
