"""``--systemd``: the command line as a unit, which runs it as a service with no more rights than it takes."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from memdash.commands.options import Verb
from memdash.commands.output import STDOUT, write_lines
from memdash.errors import UsageError

__all__ = ["Service", "unit"]

_FLAG = "--systemd"
_UNIT = """\
# {place}
# systemctl daemon-reload && systemctl enable --now memdash-{verb}
[Unit]
Description=memdash {verb}: the memory of running processes
After=network-online.target
Wants=network-online.target

[Service]
Type=exec
ExecStart={command}
Restart={restart}
RestartSec=10s
RestartPreventExitStatus=2
StateDirectory=memdash
StateDirectoryMode=0700
WorkingDirectory=/var/lib/memdash
UMask=0077

# To read the memory of other users' processes takes CAP_SYS_PTRACE, and with kernel.yama.ptrace_scope=3 nothing
# helps. If programs are not readable for everybody: add CAP_DAC_READ_SEARCH to both lines.
DynamicUser=yes
AmbientCapabilities=CAP_SYS_PTRACE
CapabilityBoundingSet=CAP_SYS_PTRACE
NoNewPrivileges=yes

# All that memdash does not need. Not here, for it could see no other process or use no capability on it then:
# ProtectProc, ProcSubset, PrivatePIDs, PrivateUsers.
ProtectSystem=strict
ProtectHome=read-only
PrivateDevices=yes
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service process_vm_readv
MemoryMax=256M

[Install]
WantedBy=multi-user.target
"""


class Service(Verb):
    """A verb that runs until it is ended. With ``--systemd`` it prints its command line as a unit instead."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        words = "Print a systemd unit that runs this very command, with the rights that it takes."
        self.params.append(click.Option([_FLAG], is_flag=True, expose_value=False, help=words))

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep the words of the command line."""
        kept = [word for word in args if word != _FLAG]
        if len(kept) < len(args) and not ctx.resilient_parsing:
            ctx.meta[_FLAG] = kept
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run it, or print the unit. Raises UsageError for what no service can be told."""
        words = ctx.meta.get(_FLAG)
        if words is None:
            return super().invoke(ctx)
        given = ctx.params
        if given.get("output", STDOUT) != STDOUT and not (given.get("append", True) or given.get("force")):
            output = given["output"]
            raise UsageError(
                f"a service begins again after each end of what it watches, and {output} is there then",
                "say --append, to go on in it",
            )
        write_lines(unit(ctx.info_name or "", _program(), words, is_for_ever=given.get("duration") is None))
        return 0


def unit(verb: str, program: Sequence[str], words: Sequence[str], *, is_for_ever: bool = True) -> Iterator[str]:
    """The unit's lines; what is there for ever begins anew also where it ends well, as its target did.

    Raises UsageError for a word with a line break.
    """
    command = " ".join(_quoted(word) for word in (*program, verb, *words))
    place = f"/etc/systemd/system/memdash-{verb}.service"
    restart = "always" if is_for_ever else "on-failure"
    yield from _UNIT.format(place=place, verb=verb, command=command, restart=restart).splitlines()


def _program() -> list[str]:
    """How memdash was started, in words that hold anywhere."""
    started = Path(sys.argv[0])
    return [str(started.absolute())] if started.name == "memdash" else [sys.executable, "-m", "memdash"]


def _quoted(word: str) -> str:
    r"""A word as systemd reads it: in quotes where it has to be; ``%`` and ``$`` mean something there, ``\`` too."""
    if not word.isprintable():
        raise UsageError(f"{word!r} cannot stand in a unit", "leave out line breaks and control characters")
    plain = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return plain if re.fullmatch(r"[\w@%+=:,./$-]+", plain) else f'"{plain}"'
