# SPDX-License-Identifier: GPL-3.0-or-later
"""The power goes while site.yml runs: on two servers side by side, since a run leaves one processor idle."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.faults.box import Seen
from tests.faults.power import Plug, Tree, unlike
from tests.lab import lan, server
from tests.lab.common import run

# In the first run of a bare server: the task (Ansible names no role where one is included), and what dpkg's log says
# when it is in the middle.
FIRST = (
    ("pxe_http : Install nginx", "status half-installed nginx"),
    ("Install the loaders for BIOS", "status half-configured"),
    ("Install iPXE's package", "status unpacked ipxe"),
    ("Install dnsmasq's program", "status half-configured dnsmasq-base"),
)


@dataclass
class Wholes:
    """What undisturbed runs leave: of inventory 0 and 1; and the tasks that change something, and their seconds."""

    trees: list[Tree]
    tasks: dict[str, float]


@dataclass
class Story:
    """What happened to one server."""

    cuts: int = 0  # in the middle of a run
    faults: list[str] = field(default_factory=list)
    found: list[tuple[str, Tree, bool]] = field(default_factory=list)
    said: str = ""

    def add(self, plug: Plug, label: str, *, whole: bool) -> None:
        """Start the server, and look at it."""
        plug.start()
        tree, faults = plug.check(whole=whole)
        self.faults += [f"{label}: {fault}" for fault in faults]
        self.found.append((label, tree, not whole))

    def cut(
        self, plug: Plug, kind: int, when: Callable[[str], float | None], label: str, *, first: bool
    ) -> None:
        """A run that is cut, and the start after it."""
        told = plug.run(kind, when, again=first and plug.number > 0)
        self.cuts += recap(told, "failed") + recap(told, "unreachable") > 0
        self.said = next((line for line in told.splitlines() if "UNREACHABLE!" in line), self.said)
        plug.cut()  # also where it had nothing to do
        self.add(plug, label, whole=not first)


def recap(told: str, what: str) -> int:
    """How often a run says this at its end, of all its hosts: the server, and the controller itself."""
    return sum(map(int, re.findall(rf"\b{what}=(\d+)", told.rpartition("PLAY RECAP")[2])))


def undisturbed(plug: Plug) -> Wholes:
    """One run after the other, as a user has it."""
    plug.run(0)
    trees = [plug.look()[0]]
    told = plug.run(1)
    names = re.findall(r"^(?:TASK|RUNNING HANDLER) \[(.*?)\] \**$", told, re.M)
    tasks = {name: seconds for name, seconds in plug.took.items() if names.count(name) == 1}
    return Wholes([*trees, plug.look()[0]], tasks)


def first(plug: Plug, count: int) -> Story:
    """The power goes in the first run, while packages are installed; again and again."""
    story = Story()
    for task, state in FIRST[:count]:
        info = run("podman", "inspect", "--format", "{{.GraphDriver.Data.MergedDir}}", plug.server.container)
        log = Path(info.strip(), "var/log/dpkg.log")

        def when(name: str, task: str = task, state: str = state, log: Path = log) -> float | None:
            if task not in name:
                return None
            begin, size = time.monotonic(), log.stat().st_size if log.exists() else 0
            while time.monotonic() < begin + 60:
                if log.exists() and state in log.read_text()[size:]:
                    break
                time.sleep(0.01)
            return 0

        story.cut(plug, 0, when, f"first run, {task}, {state}", first=True)
    return story


def later(plug: Plug, kind: int, points: Sequence[tuple[str, float]], story: Story) -> None:
    """The power goes in runs that all have changes to make, later ones first."""
    dice = random.Random(len(points))  # noqa: S311 - the same moments every time
    for point, seconds in points:
        kind = 1 - kind
        plug.known = plug.states()

        # The first part of a task is Ansible's own: the module is copied, and started.
        def when(name: str, point: str = point, seconds: float = seconds) -> float | None:
            return dice.uniform(0.3, 1.0) * seconds if name == point else None

        story.cut(plug, kind, when, point, first=False)


def heal(plug: Plug, story: Story, whole: Tree, *, again: bool = False) -> None:
    """One more run, which makes all good: what is there then is what an undisturbed run made."""
    plug.run(0, again=again)
    tree, faults = plug.check(whole=True)
    story.faults += [f"{plug.runs} runs, healed: {fault}" for fault in [*faults, *unlike(tree, whole)]]


def test_power_cut_at_many_points_of_a_run_of_the_playbook(
    seen: Seen, request: pytest.FixtureRequest
) -> None:
    count = request.config.getoption("--points")
    bare = min(len(FIRST), count // 5)
    plugs: list[Plug] = []
    try:
        with ThreadPoolExecutor(2) as pool:
            made = [pool.submit(Plug, name) for name in ("power1", "power2")]
            plugs += [one.result() for one in made]
            whole: Future[Wholes] = Future()

            def one(plug: Plug) -> Story:
                try:
                    whole.set_result(undisturbed(plug))
                except BaseException as error:
                    whole.set_exception(error)
                    raise
                story = Story()
                later(plug, 1, points(whole.result(), count - bare, 0), story)
                heal(plug, story, whole.result().trees[0])
                return story

            def two(plug: Plug) -> Story:
                story = first(plug, bare)
                reference = whole.result().trees[0]
                heal(plug, story, reference, again=plug.number > 0)
                later(plug, 0, points(whole.result(), count - bare, 1), story)
                heal(plug, story, reference)
                told = plug.run(0, again=True)
                if recap(told, "changed"):
                    story.faults.append("one more run changes something")
                return story

            stories = [job.result() for job in (pool.submit(one, plugs[0]), pool.submit(two, plugs[1]))]
    finally:
        if not request.config.getoption("--keep"):
            for plug in plugs:
                server.down(plug.name)
                lan.down(plug.name)
    faults = faults_of(stories, whole.result().trees)
    cuts = sum(story.cuts for story in stories)
    assert faults == [], "\n".join(faults)
    assert cuts >= count * 0.8, f"only {cuts} came before the end of a run"
    seen(
        f"the run ends with UNREACHABLE!; what the server then serves is old or new, and the next run completes it"
        f" ({cuts} of {count} cuts came in the middle of a run, {bare} of those while apt installed packages)"
    )


def faults_of(stories: list[Story], trees: list[Tree]) -> list[str]:
    """What was wrong on the way, and with the trees that were found after each cut."""
    faults = [fault for story in stories for fault in story.faults]
    for story in stories:
        for label, tree, begun in story.found:
            faults += [f"{label}: {fault}" for fault in unlike(tree, *trees, midway=True, first=begun)]
    return faults


def points(whole: Wholes, count: int, plug: int) -> list[tuple[str, float]]:
    """Tasks that change something, spread over a run, the last one first; for server 0 or 1.

    In one that only looks the power would go as in the next. 1 has been cut in its first run already, so it gets three
    of eight.
    """
    tasks = list(whole.tasks.items())
    found = [tasks[(number * 2 + 1) * len(tasks) // (2 * count)] for number in range(count)]
    return [task for number, task in enumerate(found) if (number % 8 in (1, 4, 6)) == bool(plug)][::-1]
