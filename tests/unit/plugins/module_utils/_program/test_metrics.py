# SPDX-License-Identifier: GPL-3.0-or-later
"""Metrics: names and form as Prometheus wants them, counters that only grow, and where the file lies."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.homelab.netboot.plugins.module_utils._program import cli, metrics
from ansible_collections.homelab.netboot.plugins.module_utils._program.page.known import (
    Finding,
    Image,
    Known,
    Row,
)
from ansible_collections.homelab.netboot.tests.unit.plugins.module_utils._program.page.showing import Shown

ROW = Row(
    "52:54:00:00:00:00", "nuc1", "noble", "once", "armed", 1795700000.0, verdict="wrong", step=3, seen=5.5
)
KNOWN = Known(
    rows=(ROW, ROW._replace(machine="nuc2", state="failed", verdict="fine", seen=0.0)),
    many=7,
    images=(Image("noble", "217c6811e195", "24.04", "amd64", 64_500_000),),
    findings=(Finding("disks", "wrong"), Finding("disks", "note"), Finding("pxe")),
    asked=1795700001.0,
    ended={"installed": 3},
    refused=2,
    waiting=1,
    sent={"http": 5_000_000_000},
)
LINE = re.compile(r'([a-z_]+)(?:\{([a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)+\})? (-?[0-9.e+]+)')


@pytest.fixture
def shown(tmp_path: Path) -> Shown:
    return Shown(tmp_path)


def samples(text: str) -> dict[str, str]:
    return dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))


def test_every_line_has_the_form_and_every_metric_its_help_and_type() -> None:
    told: list[str] = []
    for line in metrics.text(KNOWN).splitlines():
        if line.startswith("#"):
            _sign, word, name, *rest = line.split(" ", 3)
            assert word in ("HELP", "TYPE")
            assert rest
            told += [name] if word == "HELP" else []
            assert told[-1] == name
            assert word == "HELP" or rest[0] == ("counter" if name.endswith("_total") else "gauge")
        else:
            found = LINE.fullmatch(line)
            assert found, line
            assert found[1] == told[-1]
    assert len(told) == len(set(told))
    assert all(re.fullmatch(r"homelab_netboot_[a-z]+(_[a-z]+)*", name) for name in told)


def test_what_they_say() -> None:
    found = samples(metrics.text(KNOWN))
    for name, value in {
        'machine_info{machine="nuc1",mac="52:54:00:00:00:00",image="noble",install="once"}': "1",
        'machine_state{machine="nuc1",state="armed"}': "1",
        'machine_state{machine="nuc1",state="failed"}': "0",
        'machine_state_timestamp_seconds{machine="nuc1"}': "1795700000",
        'machine_seen_timestamp_seconds{machine="nuc1"}': "5.5",
        'machine_steps{machine="nuc1"}': "3",
        'machine_stuck{machine="nuc1"}': "1",
        'machine_stuck{machine="nuc2"}': "0",
        'machines{state="failed"}': "1",
        "unknown_machines": "7",
        'installations_total{outcome="installed"}': "3",
        'installations_total{outcome="failed"}': "0",
        'sent_bytes_total{protocol="http"}': "5000000000",
        "reports_refused_total": "2",
        "notes_waiting": "1",
        'image_size_bytes{image="noble",version="217c6811e195",release="24.04"}': "64500000",
        'doctor_findings{check="disks",level="wrong"}': "1",
        'doctor_findings{check="pxe",level="wrong"}': "0",
        "doctor_timestamp_seconds": "1795700001",
    }.items():
        assert found[f"homelab_netboot_{name}"] == value, name
    assert 'homelab_netboot_machine_seen_timestamp_seconds{machine="nuc2"}' not in found
    assert len(found) == sum(len(told) for told in json.loads(metrics.plain(KNOWN)).values())


def test_labels_are_escaped() -> None:
    row = ROW._replace(image='a"b\\c\nd\x00')
    text = metrics.text(Known(rows=(row,)))
    assert r'image="a\"b\\c d"' in text
    assert all(LINE.fullmatch(line) for line in text.splitlines() if not line.startswith("#"))


def test_installations_are_counted_once_each_and_what_is_thrown_away_too(shown: Shown) -> None:
    shown.plan(nuc1="once", again="always", every="any")
    shown.do("publish")
    token = shown.of("nuc1").token
    shown.fetch("nuc1")
    shown.report("nuc1")
    shown.report("nuc1", token=token)  # told once more
    shown.report("again")
    shown.report("again", "failed")
    shown.report("every")
    shown.report("every", "begun")
    shown.report("every", token="0" * 32)
    shown.refresh()
    found = samples((shown.state / "metrics.prom").read_text())
    assert found['homelab_netboot_installations_total{outcome="installed"}'] == "3"
    assert found['homelab_netboot_installations_total{outcome="failed"}'] == "1"
    assert found["homelab_netboot_reports_refused_total"] == "2"
    (shown.state / "counts.json").write_text("damaged")
    shown.report("every")
    assert json.loads((shown.state / "counts.json").read_text()) == {"installed": 1}


def test_an_installation_of_which_nothing_more_was_heard_has_failed(shown: Shown) -> None:
    shown.plan(nuc1="once")
    shown.do("publish")
    shown.fetch("nuc1")
    shown.do("expire")
    shown.since_boot += 5 * 3600
    shown.do("expire")
    shown.do("expire")
    assert json.loads((shown.state / "counts.json").read_text()) == {"failed": 1}


def test_bytes_are_counted_once_also_of_what_stories_forget(shown: Shown) -> None:
    shown.plan(nuc1="once")
    shown.logs(*(shown.fetches("/machines/nuc1/-/meta-data", second, 1000) for second in range(1000)))
    shown.logs()
    shown.logs(shown.fetches("/machines/nuc1/-/meta-data", 2000, 1))
    shown.refresh()
    found = samples((shown.state / "metrics.prom").read_text())
    assert found['homelab_netboot_sent_bytes_total{protocol="http"}'] == "1000001"


def test_the_file_lies_where_it_is_wanted_and_nowhere_else(
    shown: Shown, capsys: pytest.CaptureFixture[str]
) -> None:
    shown.plan(nuc1="once")
    shown.refresh()
    assert (shown.state / "metrics.prom").exists()
    folder = shown.state.parent / "node-exporter"
    places = [folder / "netboot.prom", folder / "other.prom"]
    shown.settings = replace(shown.settings, textfile=str(places[0]))
    settings = shown.state.parent / "settings.json"
    settings.write_text(json.dumps(shown.settings.__dict__))
    assert cli.main(["--settings", str(settings), "page"]) == 1
    assert "node-exporter: No such file or directory" in capsys.readouterr().err
    folder.mkdir()
    assert cli.main(["--settings", str(settings), "page"]) == 0
    assert places[0].stat().st_mode & 0o777 == 0o644
    assert not (shown.state / "metrics.prom").exists()
    before = shown.stamps()
    assert not shown.refresh()
    assert shown.stamps() == before
    shown.settings = replace(shown.settings, textfile=str(places[1]))
    shown.refresh()
    assert [path.name for path in folder.iterdir()] == ["other.prom"]
    shown.settings = replace(shown.settings, textfile="")
    shown.refresh()
    assert not list(folder.iterdir())
    assert (shown.state / "metrics.prom").exists()
