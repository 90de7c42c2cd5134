# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked for, when it is asked again, and when it is given up; tests/mirror has real web servers."""

from __future__ import annotations

import hashlib
import io
import ssl
import urllib.error
from collections.abc import Callable, Mapping
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.homelab.netboot.plugins.module_utils._errors import UserError
from ansible_collections.homelab.netboot.plugins.module_utils._image import progress, transfer

ADDRESS = "http://me:s3cret@mirror.example/n.iso"
BODY = b"0123456789"
JOB = transfer.Job("noble", ADDRESS, ("sha256", hashlib.sha256(BODY).hexdigest()))
ETAG, DATE = '"69a-42"', "Fri, 27 Nov 2026 05:00:00 GMT"


class Answer(io.BytesIO):
    """What a web server says; `broken` is raised when there is no more."""

    def __init__(
        self, status: int, body: bytes = b"", broken: Exception | None = None, /, **headers: str
    ) -> None:
        super().__init__(body)
        self.status, self.broken = status, broken
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def read1(self, size: int | None = -1) -> bytes:
        block = super().read1(size)
        if not block and self.broken:
            raise self.broken
        return block


class Home:
    """A clock that only pauses move, and a web server that gives these answers in turn, the last one for ever."""

    def __init__(self, root: Path, *answers: Answer | Exception | Callable[[], Answer]) -> None:
        self.root, self.answers = root, list(answers)
        self.now = 0.0
        self.pauses: list[float] = []
        self.asked: list[dict[str, str]] = []
        self.told: list[progress.Told] = []

    def open(self, address: str, headers: Mapping[str, str]) -> Any:
        assert address == ADDRESS
        self.asked.append({name: value for name, value in headers.items() if name != "Accept-Encoding"})
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, Answer) else answer()

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    def load(self, patience: float = 300) -> None:
        loader = transfer.Loader(self.open, patience, self.told.append, lambda: self.now, self.sleep)
        transfer.load(loader, str(self.root), JOB, str(self.root / "place"), ["sha256"])

    def fails(self, patience: float = 300) -> str:
        with pytest.raises(UserError) as caught:
            self.load(patience)
        assert not (self.root / "place").exists()
        return str(caught.value)

    def left(self) -> bytes | None:
        path = self.root / ".partial" / JOB.key
        return path.read_bytes() if path.exists() else None


def refused() -> Exception:
    return urllib.error.URLError(ConnectionRefusedError(111, "Connection refused"))


def status(code: int, **headers: str) -> Exception:
    message = Message()
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    return urllib.error.HTTPError(ADDRESS, code, "said so", message, None)


def begun(root: Path, body: bytes = b"01234", /, **headers: str) -> None:
    """A run that got so much of ten bytes, and was killed."""
    home = Home(root, Answer(200, body, Content_Length="10", **headers), status(404))
    home.fails()
    assert home.left() == body


def test_a_name_tells_neither_address_nor_checksum() -> None:
    assert "s3cret" not in JOB.key
    assert (
        len(
            {
                JOB.key,
                transfer.Job("x", ADDRESS + "x", JOB.expected).key,
                transfer.Job("x", ADDRESS, None).key,
            }
        )
        == 3
    )
    assert transfer.Job("other", ADDRESS, JOB.expected).key == JOB.key


@pytest.mark.parametrize(
    ("headers", "condition"),
    [
        ({"ETag": ETAG, "Last_Modified": DATE}, ETAG),
        ({"ETag": "W/" + ETAG, "Last_Modified": DATE}, DATE),
        ({"Last_Modified": DATE}, DATE),
        ({}, None),
    ],
)
def test_the_rest_is_asked_for_if_the_file_is_the_same(
    tmp_path: Path, headers: dict[str, str], condition: str | None
) -> None:
    begun(tmp_path, **headers)
    home = Home(tmp_path, Answer(206, b"56789", Content_Range="bytes 5-9/10"))
    home.load()
    asked = {"Range": "bytes=5-", **({"If-Range": condition} if condition else {})}
    assert home.asked[0] == asked
    assert (tmp_path / "place").read_bytes() == b"0123456789"
    assert [path.name for path in tmp_path.iterdir()] == ["place"]


@pytest.mark.parametrize(
    "answer",
    [
        Answer(206, b"wrong", Content_Range="bytes 4-9/10"),
        Answer(206, b"wrong", Content_Range="bytes 5-10/11"),
        Answer(206, b"wrong"),
        status(416, Content_Range="bytes */4"),
        status(416),
    ],
    # Python 3.8 cannot ask an HTTPError for its name
    ids=["another begin", "another size", "unsaid", "nothing behind it", "416 alone"],
)
def test_a_part_that_does_not_fit_is_not_taken(tmp_path: Path, answer: Answer | Exception) -> None:
    begun(tmp_path)
    home = Home(tmp_path, answer, Answer(200, b"0123456789", Content_Length="10"))
    home.load()
    assert [set(asked) for asked in home.asked] == [{"Range"}, set()]
    assert (tmp_path / "place").read_bytes() == b"0123456789"
    assert home.pauses == [1]  # it was seen at once, and not by the checksum


def test_all_that_is_there_already_is_all(tmp_path: Path) -> None:
    begun(tmp_path)
    (tmp_path / ".partial" / JOB.key).write_bytes(BODY)
    Home(tmp_path, status(416, Content_Range="bytes */10")).load()
    assert (tmp_path / "place").read_bytes() == BODY


def test_a_wrong_beginning_is_fetched_once_more(tmp_path: Path) -> None:
    begun(tmp_path, b"xxxxx")
    home = Home(tmp_path, Answer(206, b"56789", Content_Range="bytes 5-9/10"), Answer(200, b"wrong again"))
    home.load()  # whoever asked sees by the digest that it is wrong
    assert [set(asked) for asked in home.asked] == [{"Range"}, set()]
    assert (tmp_path / "place").read_bytes() == b"wrong again"


def test_pauses_grow_until_it_is_given_up(tmp_path: Path) -> None:
    home = Home(
        tmp_path, Answer(200, b"01234", ConnectionResetError(104, "reset"), Content_Length="10"), refused()
    )
    told = home.fails(patience=100)
    assert home.pauses == [1, 2, 4, 8, 16, 30, 30]
    assert told.startswith("http://mirror.example/n.iso is broken off at 5 of 10 bytes (")
    assert "run this again, and it goes on there" in told
    assert "broken off at 5 of 10 bytes" in home.told[-1].trouble
    assert home.left() == b"01234"


def test_what_comes_further_makes_it_patient_again(tmp_path: Path) -> None:
    first = Answer(200, b"01234", ConnectionResetError(), Content_Length="10")
    second = Answer(206, b"56", ConnectionResetError(), Content_Range="bytes 5-9/10")
    home = Home(tmp_path, first, refused(), refused(), second, refused())
    home.fails(patience=10)
    assert home.pauses == [1, 2, 4, 1, 2, 4]


def test_coming_as_far_as_before_is_not_coming_further(tmp_path: Path) -> None:
    home = Home(tmp_path, lambda: Answer(200, b"01234", Content_Length="10"))
    assert "so that the next run begins anew" in home.fails(patience=10)
    assert home.pauses == [1, 2, 4]


def test_a_file_that_changes_for_ever_is_given_up(tmp_path: Path) -> None:
    numbers = iter(range(99))
    home = Home(tmp_path, lambda: Answer(200, b"01234", Content_Length="10", ETag=f'"{next(numbers)}"'))
    home.fails(patience=10)
    assert home.pauses == [1, 1, 1, 1, 2, 4]


def test_a_wrong_joint_within_a_run_is_none_of_the_checksum(tmp_path: Path) -> None:
    """Where the web server tells no state of the file, and it changed without getting another size."""
    parts = [Answer(200, b"xxxxx", Content_Length="10"), Answer(206, b"56789", Content_Range="bytes 5-9/10")]
    Home(tmp_path, *parts, Answer(200, BODY)).load()
    assert (tmp_path / "place").read_bytes() == BODY


@pytest.mark.parametrize(
    ("error", "tries"),
    [
        (refused(), 3),
        (TimeoutError("timed out"), 3),
        (status(503), 3),
        (status(429), 3),
        (status(404), 1),
        (status(401), 1),
        (ValueError("unknown url type"), 1),
        (urllib.error.URLError(ssl.SSLCertVerificationError("self-signed")), 1),
    ],
    ids=str,
)
def test_an_address_that_gives_nothing_is_soon_given_up(tmp_path: Path, error: Exception, tries: int) -> None:
    home = Home(tmp_path, error)
    told = home.fails()
    assert told.startswith("http://mirror.example/n.iso cannot be downloaded (")
    assert "Correct url and checksum" in told
    assert len(home.asked) == tries
    assert list(tmp_path.iterdir()) == []


def test_a_size_that_nobody_says(tmp_path: Path) -> None:
    home = Home(tmp_path, Answer(200, b"0123456789"))
    home.load()
    assert (tmp_path / "place").read_bytes() == b"0123456789"
    assert (home.told[-1].size, home.told[-1].have) == (0, 10)


def test_more_than_was_announced_is_not_read(tmp_path: Path) -> None:
    Home(tmp_path, Answer(200, b"0123456789" * 2, Content_Length="10")).load()
    assert (tmp_path / "place").read_bytes() == b"0123456789"


@pytest.mark.parametrize(
    "note",
    ["", "{", "[]", '{"size": "x", "state": ""}', '{"size": 7}', "[" * 100_000],
    ids=["empty", "half", "list", "no number", "no state", "deep"],
)
def test_a_note_that_is_damaged_is_none(tmp_path: Path, note: str) -> None:
    begun(tmp_path, ETag=ETAG)
    (tmp_path / ".partial" / f"{JOB.key}.json").write_text(note)
    home = Home(tmp_path, Answer(206, b"56789", Content_Range="bytes 5-9/10"))
    home.load()
    assert home.asked == [{"Range": "bytes=5-"}]


def test_only_what_is_asked_for_stays(tmp_path: Path) -> None:
    begun(tmp_path)
    folder = tmp_path / ".partial"
    (folder / ("f" * 32)).write_bytes(b"x")
    (folder / "abc.new").write_bytes(b"x")
    (folder / "folder").mkdir()
    transfer.sweep(str(tmp_path), [JOB.key])
    assert {path.name for path in folder.iterdir()} == {JOB.key, f"{JOB.key}.json"}
    transfer.sweep(str(tmp_path), [])
    assert list(tmp_path.iterdir()) == []
    transfer.sweep(str(tmp_path), [])
