"""Builds the sampler as part of memdash's wheel; hatchling runs this file, and memdash never imports it.

Without a compiler, or with ``MEMDASH_NO_NATIVE=1``, the wheel is one of pure Python, and ``memdash doctor`` says what
it lacks. An editable installation gets the object beside the source.
"""

from __future__ import annotations

import os
import runpy
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

__all__ = ["SamplerHook"]

_PORTABLE = ".".join(
    platform
    for machine in ("x86_64", "aarch64")
    for platform in (f"manylinux_2_17_{machine}", f"manylinux2014_{machine}", f"musllinux_1_1_{machine}")
)
"""A wheel with all four objects installs on all of these: pip takes it by whichever it knows."""

_ALL = 4


class SamplerHook(BuildHookInterface):  # type: ignore[type-arg]  # of a configuration that is of no concern here
    """Takes what is built already (see ``build``), and builds what this machine can."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling passes it
        """Called by hatchling before it looks for files."""
        if os.environ.get("MEMDASH_NO_NATIVE", "0") not in ("", "0"):
            return
        building = runpy.run_path(str(Path(__file__).with_name("build.py")))
        if len(building["current"]()) < _ALL:
            try:
                building["build"]()
            except building["Uncompiled"] as error:
                self.app.display_warning(f"memdash is installed without its heap sampler for Python: {error}")
        objects = building["current"]()
        if not objects:
            return
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{_PORTABLE if len(objects) == _ALL else _platform_of(objects)}"
        root = Path(self.root).resolve()
        build_data["artifacts"] += [f"/{path.resolve().relative_to(root)}" for path in objects]


def _platform_of(objects: list[Path]) -> str:
    """Of objects that this machine has compiled: they may need its C library, so no index takes such a wheel."""
    machines = sorted({path.name.split("-")[1] for path in objects})
    return ".".join(f"linux_{machine}" for machine in machines)
