# SPDX-License-Identifier: GPL-3.0-or-later
"""What nginx keeps, read; what is no address or folder, refused. The module at work: tests/caches."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.homelab.netboot.plugins.module_utils._errors import UserError
from ansible_collections.homelab.netboot.plugins.module_utils._image import kept
from ansible_collections.homelab.netboot.plugins.modules import cached_images

NAME = "5e" * 16


def slice_of(folder: Path, key: bytes, name: str = NAME) -> Path:
    """A file as nginx writes it: numbers, the key, the answer's headers, the bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(b"\5\0\0\n\xff" * 60 + b"\nKEY: " + key + b"\nHTTP/1.1 206 Partial Content\r\n\r\nbytes")
    return path


def test_what_is_kept_is_known_by_its_key(tmp_path: Path) -> None:
    path = b"/images/noble/0123456789ab/noble.iso"
    second = slice_of(tmp_path / "1/f5", path + b"bytes=4194304-8388607", "f" * 32)
    first = slice_of(tmp_path / "0/aa", path + b"bytes=0-4194303")
    kernel = slice_of(tmp_path / "0/aa", b"/images/jammy/0123456789ab/vmlinuzbytes=0-4194303", "a" * 32)
    for name, key in (
        ("0" * 32 + ".0000000012", path + b"bytes=0-4194303"),  # on its way
        ("1" * 32, b"archive.ubuntu.com/ubuntu/pool/x.deb"),
        ("2" * 32, path),
        ("readme", path + b"bytes=0-4194303"),
    ):
        slice_of(tmp_path, key, name)
    assert kept.kept(str(tmp_path)) == {
        "/images/jammy/0123456789ab/vmlinuz": [str(kernel)],
        path.decode(): [str(first), str(second)],
    }


@pytest.mark.parametrize(
    "url",
    [
        "https://192.168.30.5",
        "192.168.30.5",
        "http://",
        "http://me@192.168.30.5",
        "http://192.168.30.5/images",
    ],
)
def test_what_is_no_address_of_a_cache(url: str) -> None:
    with pytest.raises(UserError, match=r"write the address of the cache"):
        kept.base(url)
    assert kept.base("http://192.168.30.5:8080/") == "http://192.168.30.5:8080"


def test_a_cache_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = {"path": str(tmp_path / "cache"), "url": "http://192.168.30.5"}
    with patch_module_args(arguments), pytest.raises(SystemExit) as ended:
        cached_images.main()
    assert ended.value.code == 1
    assert "is no folder: run homelab.netboot.site for this cache." in capsys.readouterr().out


def test_an_owner_that_is_away_is_a_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    slice_of(tmp_path, b"/images/noble/0123456789ab/vmlinuzbytes=0-4194303")
    arguments = {"path": str(tmp_path), "url": "http://127.0.0.1:1"}
    with patch_module_args(arguments), pytest.raises(SystemExit) as ended:
        cached_images.main()
    said = capsys.readouterr().out
    assert (ended.value.code, '"state": "unknown"' in said, '"changed": false' in said) == (0, True, True)
    assert "/images/noble/0123456789ab/vmlinuz cannot be proven: http://127.0.0.1:1/images/noble" in said
