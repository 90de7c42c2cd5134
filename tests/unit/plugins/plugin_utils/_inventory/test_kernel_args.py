# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory.kernel_args import faults


@pytest.mark.parametrize("words", [[], ["console=ttyS0"], ["a&b", "x#1", "$x", "||x", "$(x)"], ["x" * 1499]])
def test_words_that_every_loader_passes_on(words: list[str]) -> None:
    assert list(faults(words)) == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("quiet", "must be a list of words such as [console=ttyS0]"),
        ([1], "1 is not a text; write it in quotes"),
        ([{}], "{} is not a text; write it in quotes"),
        (["a b"], "'a b' is not one word; give each argument as an item of its own"),
        ([""], "'' is not one word; give each argument as an item of its own"),
        (
            ["x" * 1500],
            "more than 1500 characters, which do not fit on the kernel's command line; leave some out",
        ),
    ],
)
def test_what_is_refused_and_the_remedy(words: Any, told: str) -> None:
    assert list(faults(words)) == [told]


@pytest.mark.parametrize("word", ["||", "&&", "#x", "#", "a=${net0/mac}"])
def test_words_of_ipxe_are_refused(word: str) -> None:
    assert list(faults([word])) == [
        f"'{word}' means something else to iPXE, which would not pass it on; leave it out"
    ]
