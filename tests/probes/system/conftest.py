"""Handmade /proc and /sys/fs/cgroup trees."""

from collections.abc import Mapping
from pathlib import Path

import pytest

PID = 123


class CgroupTree:
    """A /proc with one process in it and the cgroup hierarchies that it mounts."""

    def __init__(self, root: Path) -> None:
        self.proc = root / "proc"
        self.mounts = root / "with blank"
        self._mountinfo = [f"22 28 0:21 / {root}/proc rw - proc proc rw"]
        (self.proc / "self").mkdir(parents=True)
        (self.proc / str(PID)).mkdir()
        self.member_of()
        self._write_mountinfo()

    def mount(self, version: int, options: str = "rw", root: str = "/") -> Path:
        point = self.mounts / f"v{version}-{len(self._mountinfo)}"
        point.mkdir(parents=True)
        kind = "cgroup2" if version == 2 else "cgroup"
        escaped = str(point).replace(" ", r"\040")
        self._mountinfo.append(f"35 31 0:32 {root} {escaped} rw,relatime shared:9 - {kind} {kind} {options}")
        self._write_mountinfo()
        return point

    def _write_mountinfo(self) -> None:
        (self.proc / "self" / "mountinfo").write_text("\n".join(self._mountinfo) + "\n")

    def member_of(self, *lines: str) -> None:
        (self.proc / str(PID) / "cgroup").write_text("".join(f"{line}\n" for line in lines))


def fill(folder: Path, files: Mapping[str, str]) -> Path:
    """Make a folder with files, each ending in a newline as the kernel's do."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text + "\n")
    return folder


@pytest.fixture
def tree(tmp_path: Path) -> CgroupTree:
    return CgroupTree(tmp_path)
