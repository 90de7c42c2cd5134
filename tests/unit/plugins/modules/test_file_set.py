# SPDX-License-Identifier: GPL-3.0-or-later
"""The module as Ansible runs it: a real AnsibleModule, real folders, and real kills."""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable

import ansible.module_utils
import pytest
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.testing import patch_module_args
from ansible_collections.homelab.netboot.plugins.modules import file_set

Run = Callable[..., Any]
ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


@pytest.fixture(name="run")
def _run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs the module on the folder `set` and returns its result."""

    def run(files: Any, check: bool = False, diff: bool = True, **options: Any) -> Any:
        text = json.dumps(files) if isinstance(files, dict) else files
        arguments = {"path": str(tmp_path / "set"), "files": text, **options}
        internal = {"_ansible_check_mode": check, "_ansible_diff": diff}
        with patch_module_args({**arguments, **internal}), pytest.raises(SystemExit):
            file_set.main()
        return said(capsys)

    return run


def said(capsys: pytest.CaptureFixture[str]) -> Any:
    """Return a result as Ansible keeps it: from 2.22 on it takes out what it is to hide, wherever that occurs."""
    result = json.loads(capsys.readouterr().out)
    result.pop("_ansible_new_secrets", None)
    return result


def tree(folder: Path) -> dict[str, str]:
    """Return {relative name: content} of all files below a folder, temporary ones too."""
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def modes(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): oct(stat.S_IMODE(path.lstat().st_mode))[2:]
        for path in [folder, *folder.rglob("*")]
    }


FILES = {"default": "local\n", "nuc1/user-data": "#cloud-config\n", "nuc1/meta-data": ""}


def test_check_run_check_run(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    check = run(FILES, check=True)
    assert not folder.exists()
    real = run(FILES)
    assert tree(folder) == FILES
    for result in (check, real):
        assert result["changed"] is True
        assert result["created"] == ["default", "nuc1/meta-data", "nuc1/user-data"]
        assert (result["changed_files"], result["removed"], result["count"]) == ([], [], 3)
    assert check["diff"] == real["diff"]
    for again in (run(FILES, check=True), run(FILES)):
        assert again["changed"] is False
        assert (again["created"], again["changed_files"], again["removed"], again["count"]) == ([], [], [], 3)
        assert again["diff"] == []


def test_only_what_differs_is_written(run: Run, tmp_path: Path) -> None:
    run(FILES)
    before = {path: path.stat().st_ino for path in (tmp_path / "set").rglob("*")}
    result = run({**FILES, "default": "install\n"})
    assert (result["created"], result["changed_files"]) == ([], ["default"])
    (entry,) = result["diff"]
    path = str(tmp_path / "set/default")
    assert entry == {
        "before_header": path,
        "after_header": path,
        "before": "local\n",
        "after": "install\n",
    }
    after = {path: path.stat().st_ino for path in (tmp_path / "set").rglob("*")}
    assert [path.name for path in before if before[path] != after[path]] == ["default"]


def test_purges_what_it_could_have_written_and_nothing_else(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    for name in (
        "01-old",
        "01-dir/mine",
        "old/user-data",
        "old/sub/user-data",
        "kept/user-data",
        "kept/x",
        "x",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("text\n")
    (folder / "01-link").symlink_to("x")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "user-data").write_text("not ours\n")
    (folder / "linked").symlink_to(outside)
    owned = ["01-*", "*/user-data"]
    files = {"01-new": "n\n", "nuc1/user-data": "u\n"}
    check = run(files, owned=owned, check=True)
    real = run(files, owned=owned)
    assert check == real
    assert real["removed"] == ["01-link", "01-old", "kept/user-data", "old/user-data"]
    assert set(tree(folder)) == {
        "01-dir/mine",
        "01-new",
        "kept/x",
        "nuc1/user-data",
        "old/sub/user-data",
        "x",
    }
    assert (outside / "user-data").exists()
    assert run({}, owned=owned)["removed"] == ["01-new", "nuc1/user-data"]
    assert not (folder / "nuc1").exists()  # empty after the removal
    assert folder.is_dir()  # but never the folder itself
    assert run({}, owned=owned)["changed"] is False


def test_without_owned_nothing_is_removed(run: Run, tmp_path: Path) -> None:
    run(FILES)
    assert run({"default": "local\n"})["changed"] is False
    assert tree(tmp_path / "set") == FILES


def test_hidden_contents_stay_out_of_results_and_logs(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    logged: list[Any] = []
    monkeypatch.setattr("ansible.module_utils.basic.has_journal", False)
    monkeypatch.setattr("syslog.syslog", lambda *arguments: logged.append(arguments))
    for result, change in (
        (run({"nuc1/user-data": "hunter2\n"}, hidden=["*/user-data"]), "created"),
        (run({"nuc1/user-data": "hunter2 and more\n"}, hidden=["*/user-data"]), "changed"),
        (run({}, owned=["*/user-data"], hidden=["*/user-data"]), "removed"),
    ):
        assert "hunter2" not in json.dumps(result)
        assert result["diff"][-1]["prepared"].endswith(f"/nuc1/user-data: {change}\n")
    assert logged
    assert "hunter2" not in str(logged)


def test_names_are_not_mangled_by_contents(run: Run) -> None:
    result = run({"nuc1/user-data": "nuc1", "e": "e"})
    assert result["created"] == ["e", "nuc1/user-data"]
    assert "****" not in json.dumps(result)
    assert "****" not in json.dumps(run({"e": "{}"}))
    assert "****" not in json.dumps(run("{}", owned=["e"]))


def test_why_files_is_text(capsys: pytest.CaptureFixture[str]) -> None:
    """Ansible takes each content of a dictionary for a secret, wherever the same word occurs."""
    with patch_module_args({"files": {"nuc1/user-data": "nuc1"}}):
        module = AnsibleModule({"files": {"type": "dict", "no_log": True}})
        with pytest.raises(SystemExit):
            module.exit_json(created=["nuc1/user-data"])
    result = json.loads(capsys.readouterr().out)
    assert "nuc1" in result.get("_ansible_new_secrets", []) or result["created"] == ["********/user-data"]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            "{'a': 'secret'}",
            "files: is not valid JSON (line 1, column 2): pass it through the filter to_json",
        ),
        ("[1]", "files: must be a JSON object of names and contents, not a list"),
        ('{"a": "1", "b": {}, "a": 3}', "files: 'a' occurs twice"),
        ('{"a": "1", "b": {}, "c": 3}', "files: the content of 'b' must be text, not a dictionary"),
        ('{"a": "\\ud800"}', "files: the content of 'a' holds half of a surrogate pair"),
        ("[" * 100000, "files: is not valid JSON"),
    ],
)
def test_what_is_no_set_of_files_is_refused(run: Run, tmp_path: Path, files: str, message: str) -> None:
    result = run(files)
    assert result["failed"] is True
    assert message in result["msg"]
    assert "secret" not in json.dumps(result)
    assert not (tmp_path / "set").exists()


def test_a_dictionary_is_refused_and_not_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = {"path": str(tmp_path / "set"), "files": {"a": "two\nlines", "b": "o"}}
    with patch_module_args(arguments), pytest.raises(SystemExit):
        file_set.main()
    result = said(capsys)
    assert result["msg"] == "files: must be JSON text, not a dictionary: pass it through the filter to_json"
    assert "two" not in json.dumps(result)


def test_all_bad_names_in_one_message(run: Run, tmp_path: Path) -> None:
    bad = ["/etc/passwd", "../x", "a//b", "a/", "", "./x", "n\0l", "f", "f/g", "l" * 256, ".netboot-1.part"]
    result = run(dict.fromkeys(bad, "text"))
    assert result["failed"] is True
    for words in (
        "'/etc/passwd' is absolute",
        "'../x' has the part . or ..",
        "'a//b' has an empty part",
        "'a/' has an empty part",
        "'' has an empty part",
        "'./x' has the part . or ..",
        "'n\\x00l' holds a NUL",
        "'f' is declared as a file, and as a folder of another file",
        f"'{'l' * 256}' has a part of more than 255 bytes",
        "'.netboot-1.part' is named as a temporary file",
    ):
        assert words in result["msg"]
    assert not (tmp_path / "set").exists()


def test_a_name_that_no_pattern_owns_is_refused(run: Run) -> None:
    result = run({"01-ok": "", "a/b": ""}, owned=["01-*", "*"])
    assert result["msg"].startswith("files: 'a/b' matches no pattern of owned")


def test_refuses_symlinks_and_things_in_the_way(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    outside = tmp_path / "outside"
    for path in (folder, outside, folder / "real", folder / "is-folder"):
        path.mkdir()
    (outside / "file").write_text("not ours\n")
    (folder / "out").symlink_to(outside)
    (folder / "in").symlink_to("real")
    (folder / "leaf").symlink_to(outside / "file")
    (folder / "is-file").write_text("")
    os.mkfifo(folder / "fifo")
    names = ["out/x", "in/x", "leaf", "is-folder", "is-file/x", "fifo"]
    result = run(dict.fromkeys(names, "text"))
    assert result["failed"] is True
    assert len(result["msg"].splitlines()) == len(names)
    for words in (
        f"{folder}/out is a symlink to {outside}, and must be a folder",
        f"{folder}/in is a symlink to real, and must be a folder",
        f"{folder}/leaf is a symlink that leads out of {folder}, to {outside}/file",
        f"{folder}/is-folder is a folder, and must be a file",
        f"{folder}/is-file is not a folder",
        f"{folder}/fifo is neither a file nor a folder",
    ):
        assert words in result["msg"]
    assert tree(outside) == {"file": "not ours\n"}


def test_replaces_a_symlink_within_the_folder(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "target").write_text("same\n")
    (folder / "link").symlink_to("target")
    assert run({"link": "same\n"})["changed_files"] == ["link"]
    assert not (folder / "link").is_symlink()
    assert run({"link": "same\n"})["changed"] is False


def test_path_must_be_an_absolute_folder(run: Run, tmp_path: Path) -> None:
    assert "path: some/where is not absolute" in run(FILES, path="some/where")["msg"]
    (tmp_path / "set").write_text("")
    assert run(FILES)["msg"] == f"{tmp_path}/set is not a folder: remove it first"


def test_path_may_be_a_symlink_to_a_folder(run: Run, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "set").symlink_to("real")
    assert run(FILES)["changed"] is True
    assert tree(tmp_path / "real") == FILES
    assert run(FILES)["changed"] is False


@pytest.mark.parametrize("mode", ["0640", "u=rw,g=r,o="])
def test_modes(run: Run, tmp_path: Path, mode: str) -> None:
    folder = tmp_path / "set"
    files = {"a/b": "1\n", "c": "2\n"}
    run(files, mode="0644", directory_mode="0755")
    wanted = {"mode": mode, "directory_mode": "0750"}
    check = run(files, **wanted, check=True)
    assert modes(folder) == {".": "755", "a": "755", "a/b": "644", "c": "644"}
    real = run(files, **wanted)
    assert modes(folder) == {".": "750", "a": "750", "a/b": "640", "c": "640"}
    assert check == real
    assert real["changed"] is True
    assert real["changed_files"] == ["a/b", "c"]
    assert {"mode": "0644"} in [entry["before"] for entry in real["diff"]]
    assert run(files, **wanted)["changed"] is False
    run({**files, "c": "3\n"})  # no mode given: the file keeps the one that it has
    assert modes(folder)["c"] == "640"


def test_new_folders_get_their_mode_at_once(run: Run, tmp_path: Path) -> None:
    wanted = {"mode": "0600", "directory_mode": "0700"}
    run({"a/b/c": "1\n"}, **wanted)
    assert modes(tmp_path / "set") == {".": "700", "a": "700", "a/b": "700", "a/b/c": "600"}
    assert run({"a/b/c": "1\n"}, **wanted)["changed"] is False


def test_missing_folders_above_get_the_mode_too(run: Run, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir(mode=0o751)
    run({"a": "1\n"}, path=str(tmp_path / "there/state/plan"), directory_mode="0700")
    assert modes(tmp_path / "there") == {
        ".": "751",
        "state": "700",
        "state/plan": "700",
        "state/plan/a": "644",
    }


@pytest.mark.parametrize("owned", [[], ["a/*"]])
def test_leftovers_of_a_killed_run_go_without_a_change(run: Run, tmp_path: Path, owned: list[str]) -> None:
    run({"a/b": "1\n"})
    left = tmp_path / "set/a/.netboot-x1y2.part"
    left.write_text("half")
    assert run({"a/b": "1\n"}, owned=owned, check=True)["changed"] is False
    assert left.exists()
    assert run({"a/b": "1\n"}, owned=owned)["changed"] is False
    assert not left.exists()


def test_a_new_file_is_never_more_open_than_declared(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    umask = os.umask(0o022)
    real = AnsibleModule.set_fs_attributes_if_different
    seen = set()

    def spy(module: AnsibleModule, arguments: dict[str, Any], *others: Any, **options: Any) -> Any:
        if arguments["path"].endswith(".part"):
            seen.add(oct(os.stat(arguments["path"]).st_mode & 0o777))
        return real(module, arguments, *others, **options)

    monkeypatch.setattr(AnsibleModule, "set_fs_attributes_if_different", spy)
    run({"a": "1\n"}, mode="0600")
    run({"a": "2\n", "b": "2\n"}, mode="0600")
    assert {modes(tmp_path / "set")[name] for name in "ab"} == {"600"}
    assert seen == {"0o600"}
    assert os.umask(umask) == 0o022  # left as it was


@ROOT_ONLY
def test_owner_and_group(run: Run, tmp_path: Path) -> None:
    run({"a/b": "1\n"})
    check = run({"a/b": "1\n"}, owner="12345", group="daemon", check=True)
    real = run({"a/b": "1\n"}, owner="12345", group="daemon")
    assert check == real
    assert real["changed_files"] == ["a/b"]
    assert {path.stat().st_uid for path in (tmp_path / "set").rglob("*")} == {12345}
    assert {path.group() for path in (tmp_path / "set").rglob("*")} == {"daemon"}
    assert run({"a/b": "1\n"}, owner="12345", group="daemon")["changed"] is False
    assert run({"a/b": "1\n"}, owner="nobody-here")["msg"] == "owner: there is no nobody-here on this host"


def test_diff_is_bounded(run: Run) -> None:
    result = run({f"{number:04}": "x\n" for number in range(1000)})
    assert len(result["diff"]) == 1 + 200 + 1  # the folder, the first files, the names of the others
    rest = result["diff"][-1]["prepared"].splitlines()
    assert rest[0] == "Only named here, not shown:"
    assert [line.rpartition("/")[2] for line in rest[1:]] == [f"{n:04}: created" for n in range(200, 1000)]
    some = run({f"{number:04}": "y\n" for number in range(300)}, hidden=["00*"], check=True)["diff"]
    assert [line.rpartition("/")[2] for line in some[-1]["prepared"].splitlines()[1:]] == [
        f"{n:04}: changed" for n in range(100)
    ]
    assert len(some) == 200 + 1
    big = run({"0000": "y" * 70000 + "\n"})["diff"]
    assert big[0]["after"] == "(70001 bytes: changed)\n"
    assert run({"0001": "y\n"}, diff=False).get("diff") is None


def test_a_program_judges_before_anything_is_put_in_place(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    files = {"a.conf": "one\n", "b.conf": "two\n"}
    judge = {"b.conf": "grep -q two %s"}
    assert run(files, validate=judge)["changed"] is True
    new = {"a.conf": "1\n", "b.conf": "2\n"}
    assert run(new, validate=judge, check=True)["changed"] is True  # a program may not be there yet
    result = run(new, validate=judge)
    assert result["failed"] is True
    assert result["msg"].startswith(f"{folder}/b.conf: `grep -q two {folder}/.netboot-")
    assert result["msg"].endswith("no file was changed")
    assert tree(folder) == files  # and nothing temporary is left
    assert (
        run({**files, "a.conf": "1\n"}, validate={"b.conf": "false %s"})["changed"] is True
    )  # b is as it was
    assert "cannot run `no-such-program" in run(new, validate={"b.conf": "no-such-program %s"})["msg"]
    assert sorted(tree(folder)) == ["a.conf", "b.conf"]


def test_commands_are_checked_too(run: Run) -> None:
    result = run({"a": ""}, validate={"b": "true %s", "a": "true"})
    assert result["msg"].splitlines() == [
        "validate: 'b' is not among files",
        "validate: the command for 'a' needs %s where the file's path belongs",
    ]


def test_folders_links_and_copies(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    loader = tmp_path / "loader.0"
    options = {
        "copies": {"loader.0": str(loader)},
        "links": {"images": "../http/images"},
        "folders": {"spool/in": {"mode": "0730"}, "": {"mode": "0751"}, "empty": None},
        "owned": ["*"],
        "mode": "0644",
        "directory_mode": "0755",
    }
    before = run({"a": "a\n"}, check=True, **options)
    assert f"(a copy of {loader}, which is not there yet)\n" in [entry["after"] for entry in before["diff"]]
    assert (
        run({"a": "a\n"}, **options)["msg"] == f"copies: {loader}, for 'loader.0': No such file or directory"
    )
    assert not folder.exists()
    loader.write_bytes(b"\0\1")
    check, real = run({"a": "a\n"}, check=True, **options), run({"a": "a\n"}, **options)
    assert check == real
    assert real["created"] == ["a", "images", "loader.0"]
    assert {entry["after_header"]: entry["after"] for entry in real["diff"]} == {
        str(folder): "folder created\n",
        f"{folder}/empty": "folder created\n",
        f"{folder}/spool": "folder created\n",
        f"{folder}/spool/in": "folder created\n",
        f"{folder}/a": "a\n",
        f"{folder}/images": "(symlink to ../http/images)\n",
        f"{folder}/loader.0": "(2 bytes: created)\n",
    }
    assert (folder / "loader.0").read_bytes() == b"\0\1"
    assert os.readlink(folder / "images") == "../http/images"
    found = modes(folder)
    assert [found[name] for name in (".", "spool", "spool/in", "empty", "a")] == [
        "751",
        "755",
        "730",
        "755",
        "644",
    ]
    assert run({"a": "a\n"}, **options)["changed"] is False


def test_links_and_copies_follow_and_folders_stay(run: Run, tmp_path: Path) -> None:
    folder, loader = tmp_path / "set", tmp_path / "loader.0"
    options: dict[str, Any] = {
        "copies": {"loader.0": str(loader)},
        "links": {"images": "../http/images"},
        "folders": {"spool/in": {"mode": "0730"}},
        "owned": ["*"],
    }
    loader.write_bytes(b"\0\1")
    run({"a": "a\n"}, **options)
    loader.write_bytes(b"\0\2")
    (folder / "spool/in").chmod(0o755)
    options["links"] = {"images": "elsewhere"}
    again = run({}, **options)
    assert (again["changed_files"], again["removed"]) == (["images", "loader.0"], ["a"])
    assert os.readlink(folder / "images") == "elsewhere"
    assert modes(folder)["spool/in"] == "730"
    assert run({}, **options)["changed"] is False
    options["links"] = {}
    assert run({}, **options)["removed"] == ["images"]
    assert (folder / "spool/in").is_dir()  # folders stay


def test_one_file_may_have_a_mode_of_its_own(run: Run, tmp_path: Path) -> None:
    options = {"mode": "0640", "modes": {"bin/run": "0750"}}
    files = {"bin/run": "#!/bin/sh\n", "bin/data": ""}
    run(files, **options)
    found = modes(tmp_path / "set")
    assert (found["bin/run"], found["bin/data"]) == ("750", "640")
    assert run(files, **options)["changed"] is False
    (tmp_path / "set/bin/run").chmod(0o640)
    assert run(files, **options)["changed_files"] == ["bin/run"]
    assert modes(tmp_path / "set")["bin/run"] == "750"
    assert run({}, modes={"a": "0755"})["msg"] == "modes: 'a' is not among files"


def test_a_declared_folder_stays_when_its_last_file_is_removed(run: Run, tmp_path: Path) -> None:
    options = {"folders": {"kept": {}}, "owned": ["*/*"]}
    run({"kept/a": "", "dropped/a": ""}, **options)
    assert run({}, **options)["removed"] == ["dropped/a", "kept/a"]
    assert [path.name for path in tmp_path.glob("set/*")] == ["kept"]
    assert run({}, **options)["changed"] is False


def test_a_link_takes_the_place_of_a_file_but_not_of_a_folder(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    (folder / "full").mkdir(parents=True)
    (folder / "old").symlink_to(tmp_path)  # leads out, and is replaced by what does so too
    (folder / "file").write_text("text\n")
    links = {"old": "/nowhere", "file": "/nowhere"}
    assert run({}, links={**links, "full": "x"})["msg"] == (
        f"{folder}/full is a folder, and must be a symlink: remove it first"
    )
    assert run({}, links=links)["changed_files"] == ["file", "old"]
    assert os.readlink(folder / "file") == "/nowhere"
    assert run({}, links=links)["changed"] is False
    assert (
        run({"file": "text\n"}, links={"old": "/nowhere"})["failed"] is True
    )  # as for any link that leads out


def test_faults_of_folders_links_and_copies(run: Run) -> None:
    assert run({"a": ""}, links={"a": "x"})["msg"] == "'a' is declared twice"
    assert run({"a": ""}, folders={"a": {}})["msg"] == "folders: 'a' is declared as a file, too"
    assert "has the part . or .." in run({}, folders={"../a": {}})["msg"]
    assert (
        run({}, folders={"a": {"mod": 1}})["msg"] == "folders: 'a' has mod: known are owner, group and mode"
    )
    assert (
        run({}, folders={"a": {"owner": "nobody-here"}})["msg"]
        == "owner: there is no nobody-here on this host"
    )


def test_ten_thousand_files(run: Run) -> None:
    files = {
        f"machine{number:05}/{name}": f"{name} of {number}\n"
        for number in range(2500)
        for name in ("user-data", "meta-data", "vendor-data", "network-config")
    }
    begin = time.process_time()  # of this process: what else the host and its disk do does not count
    assert len(run(files, owned=["*/*"], mode="0644")["created"]) == 10000
    assert run(files, owned=["*/*"], mode="0644")["changed"] is False
    assert time.process_time() - begin < 20  # seconds; 2 on an idle machine


def command(folder: Path, files: dict[str, str], **options: Any) -> tuple[list[str], str, dict[str, str]]:
    """Return what starts the module in a process of its own: command, standard input, environment."""
    collections = Path(file_set.__file__).parents[5]
    ansible_core = Path(ansible.module_utils.__file__).parents[2]
    environment = {
        **os.environ,
        "PYTHONPATH": f"{collections}{os.pathsep}{ansible_core}",
        "PYTHONDONTWRITEBYTECODE": "1",  # a process that is killed would leave a broken .pyc
    }
    arguments = {"path": str(folder), "files": json.dumps(files), **options}
    name = file_set.__name__
    return [sys.executable, "-m", name], json.dumps({"ANSIBLE_MODULE_ARGS": arguments}), environment


def test_a_full_disk_changes_no_file(run: Run, tmp_path: Path) -> None:
    """Where files may not grow beyond 1000 bytes, the fifth one fails: a real error of the system."""
    folder = tmp_path / "set"
    old = {str(number): "old\n" for number in range(9)}
    run({**old, "same": "same\n"}, mode="0644")
    new = {**{name: "new\n" * (500 if name == "4" else 1) for name in old}, "same": "same\n"}
    arguments, text, environment = command(folder, new, mode="0600")
    process = subprocess.run(
        arguments,
        input=text,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)),
    )
    result = json.loads(process.stdout)
    assert result["failed"] is True
    assert "File too large" in result["msg"]
    assert "no file was changed; run again to complete" in result["msg"]
    assert tree(folder) == {**old, "same": "same\n"}
    assert {modes(folder)[name] for name in new} == {"644"}
    assert run(new, mode="0600")["changed_files"] == sorted(new)


def test_a_killed_run_leaves_whole_files_and_the_next_heals(run: Run, tmp_path: Path) -> None:
    """Killed at a random moment of writing, or just when the first file has its new content."""
    folder = tmp_path / "set"
    chance = random.Random(20250101)  # noqa: S311 - reproducible, not secret
    names = sorted(f"m{number}/{part}" for number in range(100) for part in ("user-data", "meta-data"))
    wholes = [{name: f"{version} of {name}\n" * 300 for name in names} for version in ("one", "two")]
    first = folder / names[0]
    leftovers = mixtures = turn = 0
    while turn < 10 or (turn < 100 and (leftovers < 3 or mixtures < 3)):
        turn += 1
        new = wholes[turn % 2]
        arguments, text, environment = command(folder, new, owned=["*/*-data"])
        process = subprocess.Popen(
            arguments, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=environment, text=True
        )
        assert process.stdin is not None
        process.stdin.write(text)
        process.stdin.close()
        if turn % 4 < 2:
            while process.poll() is None and not (first.exists() and first.read_text() == new[names[0]]):
                pass
        else:
            time.sleep(chance.uniform(0.05, 0.4))
        process.send_signal(signal.SIGKILL)
        process.wait()
        found = tree(folder) if folder.exists() else {}
        parts = {name for name in found if name.endswith(".part")}
        for name in set(found) - parts:
            assert found[name] in (wholes[0][name], wholes[1][name])
        leftovers += bool(parts)
        mixtures += len({found.get(name, "none").split(" ")[0] for name in names}) > 1
    assert leftovers >= 3  # else the kills came at the wrong moments, and this test would show nothing
    assert mixtures >= 3
    run(wholes[0], owned=["*/*-data"])
    assert tree(folder) == wholes[0]
    assert run(wholes[0], owned=["*/*-data"])["changed"] is False


def test_one_call_writes_several_sets_each_with_its_own_options(run: Run, tmp_path: Path) -> None:
    second = {
        "path": str(tmp_path / "second"),
        "files": json.dumps({"secret": "x1y2z3\n", "b/c": "d\n"}),
        "owned": ["secret", "b/*"],
        "hidden": ["secret"],
        "mode": "0600",
        "directory_mode": "0711",
    }
    check = run(FILES, check=True, more=[second])
    assert not (tmp_path / "second").exists()
    real = run(FILES, mode="0644", more=[second])
    assert {one: check[one] for one in ("changed", "created", "count")} == {
        "changed": True,
        "created": ["b/c", "default", "nuc1/meta-data", "nuc1/user-data", "secret"],
        "count": 5,
    }
    assert real["created"] == check["created"]
    assert "x1y2z3" not in json.dumps(real)
    assert modes(tmp_path / "second") == {".": "711", "secret": "600", "b": "711", "b/c": "600"}
    assert modes(tmp_path / "set")["default"] == "644"
    assert run(FILES, mode="0644", more=[second])["changed"] is False
    less = {**second, "files": json.dumps({"secret": "x1y2z3\n"})}
    assert run(FILES, mode="0644", more=[less])["removed"] == ["b/c"]


def test_no_word_of_a_further_set_is_hidden_elsewhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """From ansible-core 2.22 on a module names what Ansible hides in all that it shows: no paths, no modes."""
    second = {"path": str(tmp_path / "second"), "files": '{"a": "b"}', "mode": "0644", "owned": ["a"]}
    with patch_module_args({"path": str(tmp_path / "set"), "more": [second]}), pytest.raises(SystemExit):
        file_set.main()
    result = json.loads(capsys.readouterr().out)
    assert result["created"] == ["a"]
    assert result.get("_ansible_new_secrets", []) == []


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ({"files": "{}"}, "more[0]: missing required arguments: path; nothing was changed"),
        ({"path": "/tmp", "fils": "{}"}, "more[0]: fils. Supported parameters include"),
        ({"path": "PLACE", "files": '{"../x": "y"}'}, "../x"),
        ({"path": "PLACE", "files": '{"x/y": "z"}', "links": {"x": "there"}}, "x"),
    ],
)
def test_a_fault_in_a_further_set_leaves_all_alone(
    run: Run, tmp_path: Path, second: dict[str, Any], message: str
) -> None:
    if "path" in second:
        second = {**second, "path": second["path"].replace("PLACE", str(tmp_path / "second"))}
    result = run(FILES, more=[second])
    assert result["failed"]
    assert message in result["msg"]
    assert not (tmp_path / "set").exists()


def test_what_a_program_refuses_in_a_further_set_is_told_of_that_set_alone(run: Run, tmp_path: Path) -> None:
    second = {"path": str(tmp_path / "second"), "files": '{"a": "b"}', "validate": {"a": "false %s"}}
    result = run(FILES, more=[second])
    assert result["msg"].endswith(f"no file below {tmp_path / 'second'} was changed")
    assert tree(tmp_path / "set") == FILES, "each set is written by itself"
    assert not (tmp_path / "second/a").exists()
