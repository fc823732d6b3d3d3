"""Which frame is the program's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from memdash.model.profile import Frame
from memdash.probes.cpython import library
from memdash.probes.cpython.library import OURS, is_library, module_part, own_at


@pytest.mark.parametrize(
    ("files", "own"),
    [
        (["/usr/lib/python3.11/threading.py", "/srv/app.py", "/usr/lib/python3.11/threading.py"], 1),
        (["/v/lib/python3.8/site-packages/web.py", "/srv/app.py", "/root/lib/python3.8/threading.py"], 1),
        (["/root/.pyenv/versions/3.8.18/lib/python3.8/selectors.py", "/v/lib/python3.8/site-packages/web.py"], 1),
        (["/usr/lib64/python3.12/asyncio/base_events.py", "<frozen runpy>", "/usr/lib/python3/dist-packages/x.py"], 2),
        (["/usr/lib/python3.13t/threading.py", "/usr/lib/python3.13t/socketserver.py", ""], 0),
        (["/usr/lib/python3.11/threading.py", "<string>"], 1),
        (["/srv/lib/python3.x/mine.py"], 0),
        ([], 0),
    ],
)
def test_the_own_frame_is_the_innermost_of_the_programs_code(files: list[str], own: int) -> None:
    assert own_at([Frame(f"f{number}", file, 1) for number, file in enumerate(files)]) == own


def test_the_script_that_begins_an_installed_program_is_not_its_own_code() -> None:
    wait, run = Frame("SyncWorker.wait", "/v/lib/python3.11/site-packages/gunicorn/sync.py", 35), "/v/bin/gunicorn"
    assert own_at([wait, Frame("<module>", run, 8)]) == 0
    assert own_at([wait, Frame("app", "/srv/app.py", 3), Frame("<module>", run, 8)]) == 1
    assert own_at([wait, Frame("main", "/home/me/bin/tool", 8), Frame("<module>", "/home/me/bin/tool", 9)]) == 1
    assert own_at([wait, Frame("<module>", "/home/me/bin/tool.py", 9)]) == 1


def test_the_agent_says_in_the_target_what_it_is_known_by() -> None:
    agent = Path(library.__file__).parent / "agent"
    assert f'NAME = "{OURS}"' in (agent / "guard.py").read_text()
    assert f'"{OURS}"' in (agent / "customize.py").read_text()


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("/usr/lib/python3.11/json/decoder", "json/decoder"),
        ("/v/lib/python3.11/site-packages/web/app", "web/app"),
        ("lib/python3.11/json/decoder", "json/decoder"),
        ("/srv/shop/cart", ""),
        ("/home/me/python3.11/cart", ""),
    ],
)
def test_the_part_of_a_path_that_is_a_module(path: str, part: str) -> None:
    assert module_part(path) == part
    assert is_library(path) == bool(part)
