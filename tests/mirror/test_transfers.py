# SPDX-License-Identifier: GPL-3.0-or-later
"""An ISO comes over lines that break, from web servers that know no ranges, in runs that are killed."""

from __future__ import annotations

import os
import random
import re
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.homelab.netboot.tests.unit.isos import make_iso, ubuntu_files

from tests.lab.common import run
from tests.mirror.line import Line
from tests.mirror.runs import Controller, checksum, wait
from tests.mirror.web import PORT, Web

INFO = b'Ubuntu-Server 24.04.3 LTS "Noble Numbat" - Release amd64 (20250805.1)'
HEADERS = 1000  # bytes that an answer's headers have at most


@pytest.fixture
def controller(tmp_path: Path) -> Controller:
    return Controller(tmp_path)


@pytest.fixture(scope="session")
def isos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two ISOs of the same size, which differ from their beginning on."""
    top = tmp_path_factory.mktemp("isos")
    made = []
    for seed in (1, 2):
        kernel = random.Random(seed).randbytes(8_000_000)  # noqa: S311 - not for secrets
        made.append(make_iso(top / f"{seed}.iso", {**ubuntu_files(kernel), ".disk/info": INFO}))
    return made


@pytest.fixture
def root(tmp_path: Path, isos: list[Path]) -> Path:
    """What the mirror serves."""
    (tmp_path / "root").mkdir()
    shutil.copy(isos[0], tmp_path / "root/n.iso")
    return tmp_path / "root"


@pytest.fixture
def web(tmp_path: Path, root: Path) -> Iterator[Web]:
    with Web(tmp_path / "web", root) as one:
        yield one


def complete(controller: Controller, iso: Path) -> bool:
    """Whether the image is in use, and nothing else lies about."""
    there = sorted(path.name for path in controller.images.iterdir())
    return there == ["noble"] and (controller.images / "noble/current/noble.iso").samefile(
        next(controller.images.glob("noble/*[0-9a-f]/noble.iso"))
    ) and (controller.images / "noble/current/noble.iso").read_bytes() == iso.read_bytes()  # fmt: skip


def test_whole(controller: Controller, web: Web, isos: list[Path]) -> None:
    sum_ = checksum(isos[0])
    assert controller(f"{web.url}/n.iso", sum_, "--check")["changed"]
    assert web.asked() == []
    assert not controller.images.exists()
    assert controller(f"{web.url}/n.iso", sum_)["changed"]
    assert complete(controller, isos[0])
    assert web.asked() == [f"GET /n.iso 200 {isos[0].stat().st_size} -"]
    assert not controller(f"{web.url}/n.iso", sum_)["changed"]
    assert len(web.asked()) == 1
    assert controller.lines() == []


def test_a_line_that_breaks_is_asked_only_for_the_rest(
    controller: Controller, web: Web, isos: list[Path]
) -> None:
    size = isos[0].stat().st_size
    with Line(PORT, [3_000_000, 2_000_000]) as line:
        assert controller(f"{line.url}/n.iso", checksum(isos[0]))["changed"]
    assert complete(controller, isos[0])
    assert [one.split()[2] for one in web.asked()] == ["200", "206", "206"]
    assert line.passed[:2] == [3_000_000, 2_000_000]
    assert size < sum(line.passed) < size + 3 * HEADERS


def test_a_web_server_without_ranges(
    controller: Controller, tmp_path: Path, root: Path, isos: list[Path]
) -> None:
    with Web(tmp_path / "web", root, "max_ranges 0;") as web, Line(PORT, [3_000_000]) as line:
        assert controller(f"{line.url}/n.iso", checksum(isos[0]))["changed"]
        assert [one.split()[2] for one in web.asked()] == ["200", "200"]
    assert complete(controller, isos[0])


def test_a_web_server_without_ranges_on_a_line_that_always_breaks(
    controller: Controller, tmp_path: Path, root: Path, isos: list[Path]
) -> None:
    with Web(tmp_path / "web", root, "max_ranges 0;"), Line(PORT, [3_000_000] * 99) as line:
        message = controller(f"{line.url}/n.iso", checksum(isos[0]), patience=4)["msg"]
    assert "n.iso is broken off at 3.0 of 8.1 MB (" in message
    assert "sends whole files only, so that the next run begins anew" in message


def test_what_is_given_up_is_taken_up_by_the_next_run(
    controller: Controller, web: Web, isos: list[Path]
) -> None:
    size, sum_ = isos[0].stat().st_size, checksum(isos[0])
    with Line(PORT, [5_000_000, *[0] * 99]) as line:
        message = controller(f"{line.url}/n.iso", sum_, patience=5)["msg"]
        assert message.startswith(
            f"image noble: netboot_images: {line.url}/n.iso is broken off at 5.0 of 8.1 MB ("
        )
        assert "run this again, and it goes on there" in message
        assert "checksum" not in message
        assert 5_000_000 - HEADERS < controller.there() < 5_000_000
        assert stat.S_IMODE(controller.partial.stat().st_mode) == 0o700
        assert {stat.S_IMODE(path.stat().st_mode) for path in controller.partial.iterdir()} == {0o600}
        assert not (controller.images / "noble").exists()
        line.cuts = []
        assert controller(f"{line.url}/n.iso", sum_)["changed"]
    assert size < sum(line.passed) < size + 3 * HEADERS
    assert complete(controller, isos[0])


def test_a_killed_run_is_taken_up_by_the_next(
    controller: Controller, tmp_path: Path, root: Path, isos: list[Path]
) -> None:
    with Web(tmp_path / "web", root, "limit_rate 2m;") as web:
        process = controller.start(f"{web.url}/n.iso", checksum(isos[0]))
        wait(lambda: controller.there() > 2_000_000)
        controller.kill(process)
        had = controller.there()
        assert controller(f"{web.url}/n.iso", checksum(isos[0]))["changed"]
        assert web.asked()[-1] == f"GET /n.iso 206 {isos[0].stat().st_size - had} bytes={had}-"
    assert complete(controller, isos[0])


def test_a_file_that_changes_between_two_runs_is_fetched_anew(
    controller: Controller, tmp_path: Path, root: Path, isos: list[Path]
) -> None:
    """The same size, address and checksum, as when a mirror is put right: only its ETag tells."""
    shutil.copy(isos[1], root / "n.iso")
    os.utime(root / "n.iso", (1, 1))
    with Web(tmp_path / "web", root) as web:
        with Line(PORT, [3_000_000, *[0] * 99]) as line:
            assert controller(f"{line.url}/n.iso", checksum(isos[0]), patience=2)["failed"]
            shutil.copy(isos[0], root / "n.iso")
            line.cuts = []
            assert controller(f"{line.url}/n.iso", checksum(isos[0]))["changed"]
        assert web.asked()[-1].startswith(f"GET /n.iso 200 {isos[0].stat().st_size} bytes=")
    assert complete(controller, isos[0])


def test_a_beginning_that_is_damaged_is_fetched_once_more(
    controller: Controller, web: Web, isos: list[Path]
) -> None:
    """After a power cut, say."""
    with Line(PORT, [3_000_000, *[0] * 99]) as line:
        assert controller(f"{line.url}/n.iso", checksum(isos[0]), patience=2)["failed"]
        (begun,) = [path for path in controller.partial.iterdir() if path.suffix == ""]
        begun.write_bytes(bytes(begun.stat().st_size))
        line.cuts = []
        assert controller(f"{line.url}/n.iso", checksum(isos[0]))["changed"]
    assert complete(controller, isos[0])


def test_a_file_that_became_shorter_is_fetched_anew(
    controller: Controller, root: Path, web: Web, isos: list[Path]
) -> None:
    (root / "n.iso").write_bytes(isos[0].read_bytes() + bytes(2_000_000))
    with Line(PORT, [isos[0].stat().st_size + 1_000_000, *[0] * 99]) as line:
        assert controller(f"{line.url}/n.iso", checksum(isos[0]), patience=2)["failed"]
        (begun,) = controller.partial.glob("*.json")
        begun.unlink()  # so that the server is asked for what is behind the file's end
        shutil.copy(isos[0], root / "n.iso")
        line.cuts = []
        assert controller(f"{line.url}/n.iso", checksum(isos[0]))["changed"]
    assert [one.split()[2] for one in web.asked()[-2:]] == ["416", "200"]
    assert complete(controller, isos[0])


def test_a_wrong_checksum_leaves_nothing(controller: Controller, web: Web, isos: list[Path]) -> None:
    message = controller(f"{web.url}/n.iso", checksum(isos[1]))["msg"]
    assert f"{web.url}/n.iso has the checksum {checksum(isos[0])}, not {checksum(isos[1])}. " in message
    assert list(controller.images.iterdir()) == []
    assert len(web.asked()) == 1


@pytest.mark.parametrize(
    ("path", "told"), [("/no.iso", "HTTP Error 404: Not Found"), ("", "Connection refused")]
)
def test_nothing_there(controller: Controller, web: Web, isos: list[Path], path: str, told: str) -> None:
    url = f"{web.url}{path}" if path else f"http://me:s3cret@127.0.0.1:{PORT + 5}/n.iso"
    message = controller(url, checksum(isos[0]))["msg"]
    assert told in message
    assert "cannot be downloaded" in message
    assert "s3cret" not in message
    assert web.asked() == ([f"GET {path} 404 {web.asked()[0].split()[3]} -"] if path else [])
    assert list(controller.images.iterdir()) == []


def test_a_disk_that_is_too_small_is_told_first(controller: Controller, web: Web, isos: list[Path]) -> None:
    controller.images.mkdir()
    run("mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", controller.images)
    try:
        message = controller(f"{web.url}/n.iso", checksum(isos[0]))["msg"]
        assert "Not enough space in" in message
        assert list(controller.images.iterdir()) == []
    finally:
        run("umount", controller.images)


def test_a_disk_that_fills_up_is_not_kept_full(
    controller: Controller, tmp_path: Path, root: Path, isos: list[Path]
) -> None:
    controller.images.mkdir()
    run("mount", "-t", "tmpfs", "-o", "size=10m", "tmpfs", controller.images)
    try:
        with Web(tmp_path / "web", root, "limit_rate 2m;") as web:
            process = controller.start(f"{web.url}/n.iso", checksum(isos[0]))
            wait(lambda: controller.there() > 1_000_000)
            (controller.images / "filler").write_bytes(bytes(5_000_000))
            controller.said = process.communicate(timeout=60)[0].decode()
        assert "No space left on device. Make room" in controller.answer()["msg"]
        assert [path.name for path in controller.images.iterdir()] == ["filler"]
    finally:
        run("umount", controller.images)


def test_what_no_image_asks_for_any_more_is_removed(
    controller: Controller, web: Web, isos: list[Path]
) -> None:
    with Line(PORT, [3_000_000, *[0] * 99]) as line:
        assert controller(f"{line.url}/n.iso", checksum(isos[0]), patience=2)["failed"]
    assert controller.there()
    assert "127.0.0.1" not in "".join(path.name for path in controller.partial.iterdir())
    assert controller(f"{web.url}/n.iso", checksum(isos[0]))["changed"]  # from another address
    assert complete(controller, isos[0])


def test_a_log_has_a_line_each_ten_per_cent(
    controller: Controller, tmp_path: Path, root: Path, isos: list[Path]
) -> None:
    with Web(tmp_path / "web", root, "limit_rate 400k;") as web:
        assert controller(f"{web.url}/n.iso", checksum(isos[0]))["changed"]
        first, *rest = controller.lines()
        assert first == f"localhost: image noble: 8.1 MB from {web.url}/n.iso"
    steps = [int(line.split()[3]) // 10 for line in rest]
    assert len(steps) == len(set(steps)) >= 5
    assert steps == sorted(steps)
    form = r"localhost: image noble: \d+ %, \d\.\d of 8\.1 MB, \d+\.\d kB/s, \d+ s left"
    assert all(re.fullmatch(form, line) for line in rest[1:])


def test_a_terminal_has_a_line_every_few_seconds(
    controller: Controller, tmp_path: Path, root: Path, isos: list[Path]
) -> None:
    with Web(tmp_path / "web", root, "limit_rate 120k;") as web:
        controller.on_a_terminal(f"{web.url}/n.iso", checksum(isos[0]), lines=5)
    first, *rest = controller.lines()
    assert first == f"localhost: image noble: 8.1 MB from {web.url}/n.iso"
    assert int(rest[3].split()[3]) < 30  # ten per cent take it seven seconds


@pytest.mark.parametrize("option", ["--check", "no_log", "async"])
def test_nothing_is_said_where_nothing_is_to_be(
    controller: Controller, tmp_path: Path, root: Path, isos: list[Path], option: str
) -> None:
    more = {"no_log": "      no_log: true\n", "async": "      async: 60\n      poll: 1\n"}.get(option, "")
    with Web(tmp_path / "web", root, "limit_rate 2m;") as web:
        argv = [option] if option == "--check" else []
        assert controller(f"{web.url}/n.iso", checksum(isos[0]), *argv, more=more)["changed"]
    assert controller.lines() == []


def test_progress_is_read_as_the_user_that_the_task_becomes(
    controller: Controller, tmp_path: Path, root: Path, isos: list[Path]
) -> None:
    become = "      become: true\n      become_method: su\n"
    with Web(tmp_path / "web", root, "limit_rate 1m;") as web:
        assert controller(f"{web.url}/n.iso", checksum(isos[0]), more=become)["changed"]
    assert f"localhost: image noble: 8.1 MB from {web.url}/n.iso" in controller.lines()
    assert complete(controller, isos[0])


def test_a_task_that_takes_too_long_ends_as_any_other(
    controller: Controller, tmp_path: Path, root: Path, isos: list[Path]
) -> None:
    with Web(tmp_path / "web", root, "limit_rate 2m;") as web:
        done = controller(f"{web.url}/n.iso", checksum(isos[0]), more="      timeout: 3\n")
        assert "Timed out after 3 second(s)" in done["msg"]
        # Ansible lets what runs on the server go on, and so a second run waits for its end
        wait((controller.images / "noble/current").exists)
