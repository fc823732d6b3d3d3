"""``--sample`` where it contradicts what else was said, or means nothing."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

OURSELVES = str(os.getpid())

Run = Callable[..., tuple[int, str, str]]


@pytest.mark.parametrize(
    ("argv", "code", "what", "hint"),
    [
        (["--sample", "64KiB", "-p", OURSELVES], 2, "sampled by memdash's agent", "memdash --agent --sample 64KiB"),
        (
            ["--sample", "64KiB", "--trace", "--", "true"],
            2,
            "--trace and --sample exclude each other",
            "--sample takes",
        ),
        (["--sample", "64KiB", "--read-only", "--", "true"], 2, "--sample and --read-only exclude", "leave one"),
        (["--sample", "1", "--", "true"], 2, "--sample: '1' does not lie between 1KiB and 16MiB", "64KiB, or off"),
        (["--sample-domains", "obj,heap", "--", "true"], 2, "there is no allocator 'heap'", "obj,mem,raw,numpy"),
        (["--sample-domains", ",", "--", "true"], 2, "no allocator is named", "--sample off"),
        (["profile", OURSELVES, "--for", "3s", "-o", "x"], 2, "--for and --sample are for what", "--agent"),
        (["profile", OURSELVES, "--sample", "1MiB", "-o", "x"], 2, "--for and --sample are for what", "--agent"),
    ],
)
def test_what_cannot_be_sampled_is_one_line_and_a_hint(
    run: Run, argv: list[str], code: int, what: str, hint: str
) -> None:
    found, out, err = run(*argv)
    assert (found, out) == (code, "")
    said, tried = err.splitlines()
    assert what in said
    assert hint in tried
