# SPDX-License-Identifier: GPL-3.0-or-later
"""What a piece of work costs, in processor time and memory: for inputs that are made to cost much."""

from __future__ import annotations

import os
import resource
from typing import Callable, NamedTuple

#: The most that reading anything may cost; what Python and pytest take before is not counted.
SECONDS, MEGABYTES = 5, 200
#: What the tests give to the net of the ISO reader (MAX_CPU), which leaves a small server more time than they have. It
#: counts the time of the program alone, and a busy machine adds nearly as much for the kernel.
NET = 2


class Cost(NamedTuple):
    """Seconds of processor time, and megabytes of memory at the most."""

    seconds: float
    megabytes: float

    @property
    def fair(self) -> bool:
        return self.seconds < SECONDS and self.megabytes < MEGABYTES


def used() -> Cost:
    """What this process has used so far, and the largest of its programs."""
    own, programs = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = own.ru_utime + own.ru_stime + programs.ru_utime + programs.ru_stime
    return Cost(seconds, max(own.ru_maxrss, programs.ru_maxrss) / 1024)


def cost(work: Callable[[], object]) -> Cost:
    """Do some work in a process of its own, which has not used memory for other things before."""
    receiver, sender = os.pipe()
    child = os.fork()
    if not child:
        status = 1
        try:
            before = used()
            work()
            after = used()
            text = f"{after.seconds - before.seconds} {after.megabytes - before.megabytes}"
            os.write(sender, text.encode())
            status = 0
        finally:
            os._exit(status)
    os.close(sender)
    with os.fdopen(receiver) as pipe:
        answer = pipe.read()
    dummy, ended = os.waitpid(child, 0)
    if ended:
        raise RuntimeError("the work failed, see above")
    return Cost(*map(float, answer.split()))
