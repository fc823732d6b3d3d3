"""What a Python started by memdash imports as ``sitecustomize``: it starts the agent, and is gone again.

memdash reads it as text and never imports it. It runs on whatever Python a command may start, 2.7 and PyPy included; of
these, those that have no agent only pass through. The directory that it was found in leaves sys.path, and the next
sitecustomize there is gets its turn. If there is none, that import fails as it would have without this one, and
``site`` takes it so.
"""

import sys


def begin(here):  # type: ignore[no-untyped-def]  # Python 2 has no annotations
    """Leave the path, and start the agent whose text lies in ``here``."""
    sys.path[:] = [entry for entry in sys.path if entry != here]
    sys.path_importer_cache.pop(here, None)
    if sys.version_info >= (3, 8) and sys.implementation.name == "cpython":
        try:
            with open(here + "/agent", "rb") as file:
                exec(compile(file.read(), "<memdash>", "exec"), {})  # noqa: S102 - our own text
        except Exception:  # noqa: BLE001, S110 - without an agent the program is what it was
            pass


begin(__file__.rpartition("/")[0])  # type: ignore[no-untyped-call]
held = sys.modules.pop("sitecustomize", None)  # Python 2 would empty a module that nobody holds
import sitecustomize  # type: ignore[import-not-found]  # noqa: E402, F401
