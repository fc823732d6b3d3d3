"""What a report leaves out with ``--redact``, and the key that its placeholders are made with."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path

from memdash.exports.redact import redacted
from memdash.model.snapshot import Snapshot

__all__ = ["without_names"]

_HOST_IDS = (Path("/etc/machine-id"), Path("/proc/sys/kernel/random/boot_id"))
"""The first is the same for good, the second until the machine starts anew: a container may have no other."""

_ABOUT = b"memdash redact"


def without_names(snapshot: Snapshot) -> Snapshot:
    """The snapshot with placeholders that are the same in every report made on this machine, and on no other."""
    return redacted(snapshot, _key(), _of_this_machine(snapshot.target.uid))


def _key() -> bytes:
    """Made of the machine's id, which itself is not to be found out from it: who knows it could try names."""
    for path in _HOST_IDS:
        try:
            found = path.read_bytes().strip()
        except OSError:
            continue
        if found:
            return blake2b(found, key=_ABOUT, digest_size=32).digest()
    return os.urandom(32)


def _of_this_machine(uid: int) -> Iterator[str]:
    yield os.uname().nodename
    for number in {uid, os.getuid()}:
        try:
            user = pwd.getpwuid(number)
        except KeyError:  # a container need not name its users
            continue
        yield from (user.pw_name, user.pw_dir)
