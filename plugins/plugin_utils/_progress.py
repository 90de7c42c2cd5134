# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""Say in lines how far the download of an image is: the size and where it is from first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.homelab.netboot.plugins.module_utils._image.progress import Told, amount, parts

#: Seconds over which speed is measured.
WINDOW = 15
#: Seconds between two lines in a log, of a download whose size nobody knows.
MINUTE = 60
#: Sources of an image, as filter C(images) names them, that lead to a download.
BROUGHT = ("url", "name")


def is_brought(image: Mapping[str, Any]) -> bool:
    """Whether an image may have to be downloaded."""
    return image.get("source") in BROUGHT


class Lines:
    """What is new at each look. On a terminal (`live`) all of it, in a log each ten per cent."""

    def __init__(self, live: bool) -> None:
        self.live = live
        self._told: Told | None = None
        self._step = 0
        self._seen: list[Told] = []  # of the last seconds, without a break

    def of(self, found: Mapping[str, Any]) -> list[str]:
        """Tell what a look has found: a C(Told) as a dictionary. Raises TypeError when it is none."""
        told, before = Told(**found), self._told
        if told == before:
            return []
        said = []
        if before is None or before.image != told.image:
            before, self._step, self._seen = None, _step(told), []
            said.append(_opening(told))
        self._told = told
        if told.trouble:
            self._seen = []
            if before is None or before.trouble != told.trouble:
                said.append(told.trouble)
            return [f"image {told.image}: {text}" for text in said]
        self._measure(told)
        step, self._step = self._step, _step(told)
        if told.have and (self._step > step or (self.live and len(self._seen) > 1)):
            said.append(_how_far(told, self._speed()))
        return [f"image {told.image}: {text}" for text in said]

    def _measure(self, told: Told) -> None:
        if self._seen and told.have < self._seen[-1].have:  # it began anew
            self._seen = []
        self._seen = [one for one in self._seen if told.seconds - one.seconds <= WINDOW] + [told]

    def _speed(self) -> float:
        """Bytes in a second, lately; 0 when that is not known."""
        first, last = self._seen[0], self._seen[-1]
        passed = last.seconds - first.seconds
        return (last.have - first.have) / passed if passed > 0 else 0


def _step(told: Told) -> int:
    return told.have * 10 // told.size if told.size else int(told.seconds // MINUTE)


def _opening(told: Told) -> str:
    here = f"; {amount(told.before)} of it are here from an earlier run" if told.before else ""
    return f"{amount(told.size)} from {told.source}{here}" if told.size else f"from {told.source}{here}"


def _how_far(told: Told, speed: float) -> str:
    told_parts = [f"{told.have * 100 // told.size} %"] if told.size else []
    told_parts.append(parts(told.have, told.size))
    if speed:
        told_parts.append(f"{amount(speed)}/s")
        if told.size > told.have:
            told_parts.append(f"{duration((told.size - told.have) / speed)} left")
    return ", ".join(told_parts)


def duration(seconds: float) -> str:
    """Write how long something takes.

    >>> [duration(seconds) for seconds in (0.2, 160, 4321)]
    ['1 s', '2 min 40 s', '1 h 12 min']
    """
    whole = max(int(seconds + 0.5), 1)
    if whole < 60:  # noqa: PLR2004
        return f"{whole} s"
    if whole < 3600:  # noqa: PLR2004
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
