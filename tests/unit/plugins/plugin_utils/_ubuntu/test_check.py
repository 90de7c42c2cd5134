# SPDX-License-Identifier: GPL-3.0-or-later
"""Our verdict on hundreds of autoinstall mappings, beside Subiquity's own schema's."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.homelab.netboot.plugins.plugin_utils._faults import InputError
from ansible_collections.homelab.netboot.plugins.plugin_utils._ubuntu import check, releases
from ansible_collections.homelab.netboot.plugins.plugin_utils._ubuntu.schema import SCHEMA
from ansible_collections.homelab.netboot.tests.unit import subiquity_schema
from ansible_collections.homelab.netboot.tests.unit.plugins.plugin_utils._ubuntu import (
    documents as autoinstall_documents,
)
from ansible_collections.homelab.netboot.tests.unit.plugins.plugin_utils._ubuntu.documents import MINIMUM

DOCUMENTS = dict(autoinstall_documents.documents())
RECORD = json.loads(subiquity_schema.RECORD.read_text())

#: Why we refuse what Subiquity's schema accepts: what the fault says, and what Subiquity does then.
DIFFERENCES = {
    r"^(netboot_ssh_keys: nobody could log in)": "it installs a machine that nobody can log in to",
    r"no such key; did you mean": "it ignores a key that it does not know, so that a mistyped one has no effect",
    r"^.*: no such key; known are": "the same, where our list of keys is whole; a disk's match then takes any disk",
    r"^[a-z-]+: no such key; known are": "the same; top-level keys will be errors in its version 2",
    r"^storage.*: (must be|needs the key|must not be empty)": "its schema says only that storage is a mapping",
    r"^storage.layout.name: 'lvmm' is not one of": "it silently takes the layout direct",
    r"^storage.layout.match.size: 'X?[^']*' is not one of": "it ignores the wish and takes the first disk",
    r"^storage.layout.match: is empty": "it takes any disk",
    r"^storage.layout.password: has no effect": "it installs without encryption",
    r"^storage.layout.recovery-key: needs a password": "the installation fails",
    r"^storage.config: is ignored": "it takes the layout",
    r"^storage.config: nothing is mounted at '/'": "the installation fails when all disks are wiped",
    r"^storage.config\[\d+\].*: there is no '": "the installation fails",
    r"^storage.config\[\d+\].*comes later": "the installation fails",
    r"^storage.config\[\d+\].id: .* is there twice": "the second takes the first one's place",
    r"^storage.config\[\d+\].type: .* is not known": "it ignores the action",
    r"^network.*: must be a mapping": "Netplan fails in the installer",
    r"^apt.*: must be": "curtin fails at the end of the installation",
    r"^(locale|timezone|keyboard.layout): '": "it is found out when the machine runs, or the installation fails",
    r"^proxy: is not written as it must be": "it is a URL by its format, which Subiquity's validator does not look at",
    r"^packages\[\d+\]: is not written": "apt-get fails at the end of the installation",
    r"^early-commands\[\d+\]: must not be empty": "an empty program cannot be run",
    r"^identity.(username|hostname): is not written": "the installation fails; a check of its own, not of its schema",
    r"^identity.username: 'admin' is a name of the system": "the installation fails; likewise",
    r"^identity.groups: must have 1 key": "of override and append it takes one",
    r"must be a hash": "the password would be written into /etc/shadow as it stands; nobody could log in with it",
    r"^kernel: must have 1 key": "package or flavor: what else stands there is ignored",
    r"^interactive-sections\[\d+\]: 'netwrok'": "no such section is ever asked for",
    r"^reporting: is ignored": "there are interactive sections: it does not report",
    r"^reporting\.\w+\.type: 'webhok'": "the installer stops with an unknown reporter",
    r"^reporting\.\w+(: needs the key endpoint|\.endpoint: must be)": "the same, of a webhook without an address",
    r"^zdevs\[0\]: needs the key id": "an entry that names no device",
}


def ours(document: dict[str, Any], release: str = "") -> list[str]:
    return [
        ": ".join(filter(None, [check.text_of(path), text])) for path, text in check.faults(document, release)
    ]


def theirs(name: str) -> bool:
    return bool(RECORD["documents"][subiquity_schema.digest(DOCUMENTS[name])])


def test_the_record_is_of_these_documents() -> None:
    assert set(RECORD["documents"]) == {subiquity_schema.digest(one) for one in DOCUMENTS.values()}, (
        f"record the verdicts anew: {subiquity_schema.__name__} says how"
    )
    assert len(DOCUMENTS) > 500


@pytest.mark.skipif(
    not subiquity_schema.SCHEMA.exists(),
    reason="Subiquity's own schema is not here: compared with its recorded verdicts only. To compare with a newer one, "
    "name canonical/subiquity's autoinstall-schema.json in SUBIQUITY_SCHEMA",
)
def test_the_record_is_what_subiquitys_schema_says() -> None:
    validator = subiquity_schema.validator()
    assert subiquity_schema.verdicts(validator, DOCUMENTS.values()) == RECORD["documents"]


def test_whatever_subiquity_refuses_is_refused() -> None:
    refused = [name for name in DOCUMENTS if not theirs(name)]
    assert len(refused) > 500
    assert [name for name in refused if not ours(DOCUMENTS[name])] == []


def test_every_refusal_of_what_subiquity_accepts_is_explained() -> None:
    explained = set()
    for name, document in DOCUMENTS.items():
        for fault in ours(document) if theirs(name) else []:
            reasons = [pattern for pattern in DIFFERENCES if re.search(pattern, fault)]
            assert reasons, f"{name}: {fault}"
            explained.update(reasons)
    assert set(DIFFERENCES) - explained == set(), "explained, but no difference any more"


def test_what_is_right_is_accepted() -> None:
    right = [
        name
        for name in DOCUMENTS
        if re.fullmatch(r"[a-z-]+( \d+)?", name) and name not in autoinstall_documents.WHOLE
    ]
    assert len(right) > 60
    assert {name: ours(DOCUMENTS[name]) for name in right if ours(DOCUMENTS[name])} == {}


def test_what_is_wrong_is_refused() -> None:
    wrong = [name for name in DOCUMENTS if " wrong " in name or name in autoinstall_documents.WHOLE]
    assert [name for name in wrong if not ours(DOCUMENTS[name])] == []


def test_no_message_tells_a_secret() -> None:
    for document in DOCUMENTS.values():
        told = " ".join(ours(document))
        assert not re.search(r"secret|passphrase|\$6\$|C1NWc|ssh-ed25519", told)


@pytest.mark.parametrize(
    ("section", "value", "knowing"),
    [
        ("packages", ["tmux"], "20.04 22.04 24.04 26.04"),
        ("shutdown", "poweroff", "20.04 22.04 24.04 26.04"),
        ("codecs", {"install": True}, "22.04 24.04 26.04"),
        ("oem", {"install": True}, "22.04 24.04 26.04"),
        ("active-directory", {}, "22.04 24.04 26.04"),
        ("apt", {"fallback": "offline-install"}, "22.04 24.04 26.04"),
        ("apt", {"mirror-selection": {"primary": ["country-mirror"]}}, "22.04 24.04 26.04"),
        ("kernel-crash-dumps", {"enabled": None}, "24.04 26.04"),
        ("zdevs", [], "24.04 26.04"),
        ("storage", {"layout": {"name": "lvm"}}, "20.04 22.04 24.04 26.04"),
        ("storage", {"layout": {"name": "zfs"}}, "24.04 26.04"),
        ("storage", {"layout": {"name": "lvm", "sizing-policy": "all"}}, "22.04 24.04 26.04"),
        ("storage", {"layout": {"name": "lvm", "ptable": "gpt"}}, "24.04 26.04"),
        (
            "identity",
            {"username": "u", "hostname": "h", "password": "$6$x", "groups": ["adm"]},
            "26.04",
        ),
    ],
)
def test_what_a_release_does_not_know_yet_is_refused_for_it(section: str, value: Any, knowing: str) -> None:
    document = {**MINIMUM, section: value}
    knows = [row.version for row in releases.RELEASES if not ours(document, row.version)]
    assert " ".join(knows) == knowing
    assert ours(document) == [], "for an unknown release everything is taken that some release knows"


def test_the_layouts_of_a_release_are_those_of_the_table_of_releases() -> None:
    for row in releases.RELEASES:
        for name in ("direct", "lvm", "zfs"):
            fine = not ours({**MINIMUM, "storage": {"layout": {"name": name}}}, row.version)
            assert fine == (name in row.layouts), (row.version, name)


def _keywords(schema: Any) -> Iterator[str]:
    for key, value in schema.items():
        yield key
        below = value.values() if key == "properties" else [value]
        for one in below:
            if isinstance(one, dict) and key not in ("since_values", "if"):
                yield from _keywords(one)


def test_every_keyword_of_the_schema_speaks_in_our_words() -> None:
    # The library's own messages hold the value, which may be a password.
    structure = {"properties", "items", "if", "then", "else", "say"}
    own = {"additionalProperties", "required", "near", "never", "since", "since_values"}
    assert set(_keywords(SCHEMA)) <= {*structure, *own, *check._TEXTS}


def test_without_the_library_the_remedy_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jsonschema", None)
    for cached in (check._library, check._validator, check._section):
        cached.cache_clear()
    with pytest.raises(InputError, match=r"lacks the library jsonschema.*apt install python3-jsonschema"):
        check.faults(MINIMUM)
