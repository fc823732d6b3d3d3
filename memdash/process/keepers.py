"""Programs whose job is to start any other program: what they started does not belong to them."""

from __future__ import annotations

from pathlib import PurePath

__all__ = ["is_keeper"]

_KEEPERS = frozenset(
    {
        "systemd", "init", "(sd-pam)", "supervisord", "runsv", "s6-supervise", "dockerd", "containerd-shim",
        "containerd-shim-runc-v2", "conmon", "sshd", "cron", "crond", "login", "su", "sudo", "tmux", "screen", "SCREEN",
        "sh", "bash", "dash", "ash", "zsh", "ksh", "fish", "tcsh", "csh", "gnome-shell", "plasmashell",
    }
)  # fmt: skip


def is_keeper(name: str, exe: str) -> bool:
    """By the kernel's name and the executable of a process; the latter also tells a shell that runs a script."""
    return name in _KEEPERS or PurePath(exe).name in _KEEPERS
