"""What a machine may lack that compiles nothing."""

from __future__ import annotations

import shutil

import pytest

__all__ = ["needs_compiler"]

needs_compiler = pytest.mark.skipif(not shutil.which("cc"), reason="no C compiler: apt install gcc libc6-dev")
