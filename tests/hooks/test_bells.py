from collections.abc import Callable, Mapping

import pytest

from memdash.hooks.alert import Alert
from memdash.hooks.bell import Bell
from memdash.hooks.notification import notification

Make = Callable[..., Alert]


@pytest.mark.parametrize(
    ("environment", "sequence"),
    [
        ({"TERM": "xterm-256color"}, "\x1b]9;heap, 1\x1b\\"),
        ({"TERM": "xterm-kitty"}, "\x1b]9;heap, 1\x1b\\"),
        ({"TERM": "xterm-ghostty"}, "\x1b]777;notify;memdash;heap, 1\x1b\\"),
        ({"TERM": "xterm-256color", "VTE_VERSION": "7600"}, "\x1b]777;notify;memdash;heap, 1\x1b\\"),
        ({"TERM_PROGRAM": "WezTerm"}, "\x1b]777;notify;memdash;heap, 1\x1b\\"),
        ({"TERM": "tmux-256color", "TMUX": "socket,1,0"}, "\x1bPtmux;\x1b\x1b]9;heap, 1\x1b\x1b\\\x1b\\"),
    ],
)
def test_each_terminal_is_told_in_its_way(environment: Mapping[str, str], sequence: str) -> None:
    assert notification("heap; 1", environment) == sequence


def test_a_target_cannot_send_sequences() -> None:
    told = notification("a\x07b\x1b]52;c;x\x9c" + "x" * 1000, {})
    assert told.startswith("\x1b]9;a\\x07b\\e]52,c,x\\x9c")
    assert told.count("\x1b") == 2
    assert len(told) < 250


def test_many_alerts_at_once_are_one_ring(alert: Make) -> None:
    sent, now = list[str](), [100.0]
    bell = Bell(sent.append, {}, rings=True, notifies=False, now_s=lambda: now[0])
    for _ in range(1000):
        bell.tell(alert())
    assert sent == ["\a"]
    now[0] += 1.0
    bell.tell(alert())
    assert sent == ["\a", "\a"]


def test_it_rings_and_notifies(alert: Make) -> None:
    sent = list[str]()
    Bell(sent.append, {}, rings=True, notifies=True, now_s=lambda: 100.0).tell(alert())
    assert sent == ["\a\x1b]9;shop-server (pid 41287): WARN heap: heap is over\x1b\\"]
