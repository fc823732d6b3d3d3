"""Rules of one's own over a real program: what grows is found with its rate, and what is muted does not count."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from memdash.cli import main

pytestmark = [pytest.mark.live, pytest.mark.matrix]

GROWS = """
import threading, time
print(flush=True)
held = []
while True:
    held.append(bytearray(400_000))
    threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
    time.sleep(0.25)
"""

RULES = (
    "tasks growth > 60/min over 10s critical",
    "rss growth > 1MiB/min over 10s",
    "rss > 1MiB for 2s",
    "tasks > 1000000",
)


def test_a_growing_program_is_alerted_on(capfd: pytest.CaptureFixture[str]) -> None:
    with subprocess.Popen([sys.executable, "-S", "-c", GROWS], stdout=subprocess.PIPE) as child:
        try:
            assert child.stdout is not None
            child.stdout.readline()
            flags = [word for rule in RULES for word in ("--alert", rule)]
            code = main(["report", "-d", "20s", "--json", *flags, "--mute", "RSS > 1MiB for 2s", str(child.pid)])
        finally:
            child.kill()
    assert code == 0
    found = {finding["rule"]: finding for finding in json.loads(capfd.readouterr().out)["findings"]}
    assert "tasks.total > 1000000" not in found
    tasks = found["tasks.total growth > 60/min over 10s"]
    assert (tasks["severity"], tasks["worst"]["unit"]) == ("critical", "count/min")
    assert tasks["worst"]["value"] == pytest.approx(240, rel=0.4)
    assert tasks["lasted_s"] > 5
    assert found["RSS growth > 1MiB/min over 10s"]["worst"]["value"] > 40e6
    muted = found["RSS > 1MiB for 2s"]
    assert (muted["muted"], muted["ended_at"]) == (True, None)
