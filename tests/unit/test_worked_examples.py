# SPDX-License-Identifier: GPL-3.0-or-later
"""Every example of docs/describe-your-machines.md passes our check and Subiquity's own schema."""

from __future__ import annotations

import json

import pytest
import yaml
from ansible_collections.homelab.netboot.plugins.plugin_utils._ubuntu import autoinstall, releases, seeds
from ansible_collections.homelab.netboot.tests.unit import subiquity_schema, worked_examples

EXAMPLES = worked_examples.examples()
RECORD = json.loads(subiquity_schema.RECORD.read_text())


def test_there_are_five() -> None:
    assert list(EXAMPLES) == [
        "A NUC with one disk",
        "RAID 1",
        "LVM with encryption",
        "A static address",
        "Offline",
    ]


@pytest.mark.parametrize("title", EXAMPLES)
def test_an_example_is_served_as_it_stands_on_the_page(title: str) -> None:
    machines = worked_examples.machines(EXAMPLES[title])
    names = yaml.safe_load(EXAMPLES[title])["netboot_machines"]
    assert [machine["name"] for machine in machines] == list(
        names.get("hosts") or names["children"]["mirrored"]["hosts"]
    )
    for release in [row.version for row in releases.RELEASES if row.version >= "22.04"]:
        served = seeds.files(
            [{**machine, "release": release} for machine in machines],
            [{"name": "", "base_url": "http://192.168.1.50"}],
        )
        assert sum(path.startswith("seed/") for path in served) == 4 * len(machines)
    for machine in machines:
        document = autoinstall.settings(machine, releases.find("24.04"))
        digest = subiquity_schema.digest(document)
        assert RECORD["examples"].get(digest) == 1, (
            f"record the verdicts anew: {subiquity_schema.__name__} says how"
        )
        validator = subiquity_schema.validator()
        if validator:  # all that is served, with the commands of our own, for every release
            for row in releases.RELEASES:
                validator.validate(autoinstall.compose(machine, "http://192.168.1.50", row))
