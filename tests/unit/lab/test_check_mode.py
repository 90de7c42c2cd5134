# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from tests.check_mode import Snapshot, results, shown


def test_results_are_counted_by_task_and_item() -> None:
    said = "TASK [a] ***\nok: [x] => (item=1)\nok: [x] => (item=2)\nTASK [b] ***\nskipping: [x]\n"
    assert results(said) == {"a": 2, "b": 1}


def test_a_file_is_shown_by_a_diff_and_by_nothing_else() -> None:
    said = "\n".join(
        [
            *("--- before: /a", "+++ after: /a", "@@ -1 +1 @@", "-old", "+new", " same", ""),
            *(
                "--- before",
                "+++ after",
                "@@ -1,3 +1,3 @@",
                "     path: /b",
                "-    state: file",
                "+    state: absent",
            ),
            *("", "changed: [x] => ", "    path: /c", "+no diff"),
        ]
    )
    assert shown(said) == {"/a": ["new"], "/b": ["    state: absent"]}


def test_a_write_of_the_same_content_and_a_package_are_differences() -> None:
    before = Snapshot({"/etc/a": "-rw 1 10.0 5 ", "/etc/d": "drwx root"}, "one 1 installed")
    after = Snapshot(
        {"/etc/a": "-rw 1 11.0 5 ", "/etc/d": "drwx root", "/srv/new": "drwx"}, "one 2 installed"
    )
    assert {line for line in after.differences(before) if line[:2] not in ("--", "++", "@@")} == {
        "-/etc/a -rw 1 10.0 5 ",
        "+/etc/a -rw 1 11.0 5 ",
        "+/srv/new drwx",
        "-one 1 installed",
        "+one 2 installed",
    }
    assert after.changed_since(before, ("/etc/", "/srv/")) == {"/etc/a"}
