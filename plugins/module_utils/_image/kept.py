# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""Prove what a cache keeps: nginx's files of it, and what the cache hands out, beside the manifest of the owner.

nginx keeps a file in slices, each with a line "KEY: PATHbytes=FIRST-LAST" in its head (nginx, in
src/http/ngx_http_file_cache.c). It takes one whose file is not there for one that it does not have, and asks the owner.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import os
import re
from dataclasses import dataclass, field
from typing import Any, Dict, Iterator, List, Mapping
from urllib.parse import urlsplit

from ansible_collections.homelab.netboot.plugins.module_utils._errors import UserError
from ansible_collections.homelab.netboot.plugins.module_utils._image import manifest

SECONDS = 700  # without a byte; a cache may wait for another client's slice
BLOCK = 1 << 20
HEAD = 4096  # bytes of a cache's file in which its key stands
MOST = 1 << 20  # bytes of a manifest; they have 2 kB
_CACHED = re.compile("[0-9a-f]" * 32)  # MD5 of the key
_KEY = re.compile(
    rb"\nKEY: (?P<path>/images/(?P<image>[^/\s]+)/(?P<version>[^/\s]+)/(?P<file>[^/\s]+?))bytes=\d+-\d+\n"
)
_BASE = re.compile(r"http://[A-Za-z0-9.-]+(:\d{1,5})?")
GOOD, MENDED, DIFFERS, OWNER = "good", "mended", "differs", "owner"
GONE, UNKNOWN = "gone", "unknown"

Slices = Dict[str, List[str]]
"""The path of an image's file, as the web server has it: the files in which nginx keeps its slices."""


class GoneError(UserError):
    """The owner has no such version any more."""


@dataclass
class Proof:
    """What was found of one file: `state` is one of those above, `fault` says what is wrong, and what helps."""

    image: str
    version: str
    file: str
    kept: int  # bytes of nginx's files
    state: str = GOOD
    fault: str = ""
    removed: list[str] = field(default_factory=list)


def base(url: str) -> str:
    """The address of a cache, without a slash at its end. UserError when it is none."""
    if not _BASE.fullmatch(url.rstrip("/")):
        raise UserError(f"url is {url}; write the address of the cache, such as http://192.168.30.5:8080.")
    return url.rstrip("/")


def kept(folder: str) -> Slices:
    """What a cache keeps of images. UserError when its folder cannot be read."""
    found: Slices = {}
    if not os.path.isdir(folder):
        raise UserError(f"{folder} is no folder: run homelab.netboot.site for this cache.")
    for place, dummy, names in os.walk(folder):
        for name in names:
            if _CACHED.fullmatch(name):
                key = _key(os.path.join(place, name))
                if key:
                    found.setdefault(key, []).append(os.path.join(place, name))
    return {path: sorted(found[path]) for path in sorted(found)}


def _key(path: str) -> str:
    """Of what a file of nginx's is a slice; empty when of nothing of ours, or when it went meanwhile."""
    try:
        with open(path, "rb") as file:
            match = _KEY.search(file.read(HEAD))
    except FileNotFoundError:
        return ""
    return match["path"].decode("utf-8", "replace") if match else ""


def prove(folder: str, url: str, images: list[str], check: bool) -> Iterator[Proof]:
    """Prove all files of which something is kept; unless `check`, remove what is wrong."""
    manifests: dict[str, dict[str, Any]] = {}
    for path, slices in kept(folder).items():
        image, version, name = path.split("/")[2:]
        if images and image not in images:
            continue
        proof = Proof(image, version, name, sum(map(_size, slices)))
        where = path.rpartition("/")[0]
        try:
            if where not in manifests:
                manifests[where] = _files(url, where)
            if name not in manifests[where]:
                raise UserError(f"{url}{where}/{manifest.NAME} does not name {name}")
            _judge(proof, manifests[where][name], url + path, slices, check)
        except GoneError:
            proof.state = GONE
        except UserError as error:
            proof.state = UNKNOWN
            proof.fault = f"{path} cannot be proven: {error}. See that the cache's server answers."
        yield proof


def _judge(proof: Proof, noted: Mapping[str, Any], address: str, slices: list[str], check: bool) -> None:
    """Read a file by way of the cache; when it is wrong, remove what is kept of it, and read it anew."""
    found = _digest(address)
    if found == (noted["size"], noted["sha256"]):
        return
    said = f"{address} has {_told(found)}, and {_told((noted['size'], noted['sha256']))} were verified"
    if check:
        proof.state, proof.fault = DIFFERS, f"{said}. A run without check mode removes it from the cache."
        return
    for path in slices:
        _remove(path)
    proof.removed = list(slices)
    again = _digest(address)
    if again == (noted["size"], noted["sha256"]):
        proof.state = MENDED
        return
    proof.state = OWNER
    proof.fault = (
        f"{address} has {_told(again)}, also anew from the cache's server, and "
        f"{_told((noted['size'], noted['sha256']))} were verified. Run homelab.netboot.verify_images for that server."
    )


def _told(found: tuple[int, str]) -> str:
    return f"{found[0]} bytes with the SHA-256 {found[1]}"


def _files(url: str, where: str) -> dict[str, Any]:
    """The files of a version, by the manifest that the owner has now. UserError when it cannot be had."""
    address = f"{url}{where}/{manifest.NAME}"
    try:
        link, response = _open(address)
        try:
            text = response.read(MOST) if response.status == http.client.OK else b""
        finally:
            link.close()
        if response.status == http.client.NOT_FOUND:
            raise GoneError(f"{address} is not there")
        if response.status != http.client.OK:
            raise UserError(f"{address} answers with status {response.status}")
        files = manifest.fields(text.decode())["files"]
        return {name: {"size": int(one["size"]), "sha256": str(one["sha256"])} for name, one in files.items()}
    except (OSError, http.client.HTTPException) as error:
        raise UserError(f"{address} does not answer ({error or type(error).__name__})") from error
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise UserError(f"{address} is no manifest") from error


def _digest(address: str) -> tuple[int, str]:
    """Bytes and SHA-256 of what is handed out; of what came until it broke off. UserError when nothing comes."""
    size, digest = 0, hashlib.sha256()
    try:
        link, response = _open(address)
    except (OSError, http.client.HTTPException) as error:
        raise UserError(f"{address} does not answer ({error or type(error).__name__})") from error
    try:
        if response.status != http.client.OK:
            raise UserError(f"{address} answers with status {response.status}")
        while True:
            block = response.read(BLOCK)
            if not block:
                break
            size += len(block)
            digest.update(block)
    except (OSError, http.client.HTTPException):
        pass  # slices that do not belong together, for instance: what came is not the file
    finally:
        link.close()
    return size, digest.hexdigest()


def _open(address: str) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
    """Ask, past any proxy."""
    place = urlsplit(address)
    link = http.client.HTTPConnection(place.hostname or "", place.port, timeout=SECONDS)
    link.request("GET", place.path)
    return link, link.getresponse()


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return 0


def _remove(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):  # nginx did, meanwhile
        os.unlink(path)
