"""A URL as it was meant: where a server is, and where on it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Self

from memdash.errors import UsageError

__all__ = ["Address", "is_url", "require_scheme"]

_DEFAULT_PORTS = {"http": 80, "https": 443}
_SAFE = "/%:@!$&'()*+,;=~"
_LONGEST = 2048
_SERVER = re.compile(r"(?:[\w.-]+|\[[0-9a-fA-F:]+\]):\d{1,5}(?:/\S*)?", re.ASCII)
_EXAMPLE = "write it like http://localhost:6060 or http://localhost:6060/debug/pprof"


def is_url(text: str) -> bool:
    """Whether a word is meant as a URL rather than as a pid, a name or a file."""
    return text.lower().startswith(("http://", "https://"))


def require_scheme(text: str) -> None:
    """Raise UsageError for what is a URL but for its scheme, as ``go tool pprof`` takes it: ``localhost:6060``."""
    if _SERVER.fullmatch(text):
        raise UsageError(f"{text!r} looks like a server, and names no scheme", f"write http://{text}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """``path`` begins with a slash and is ready to be sent, like ``query``; ``host`` has no brackets.

    The zone of an IPv6 address follows a bare %, as the system's own calls want it; a URL writes %25 (RFC 6874).
    """

    host: str
    port: int
    path: str = "/"
    query: str = ""
    is_secure: bool = False

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a URL. Raises UsageError for what is none, of another scheme, or carries a password."""
        from urllib.parse import quote, urlsplit  # 2 ms, wanted when there is a URL

        shown = "what has an @ in it" if "@" in text else repr(text)  # which may come after a password
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError:
            raise UsageError(f"{shown} is not a URL", _EXAMPLE) from None
        if len(text) > _LONGEST or not text.isprintable() or " " in text:
            raise UsageError("a URL has no spaces or control characters, and is not that long", _EXAMPLE)
        if "@" in parts.netloc:
            raise UsageError("a URL with a user or password in it is not used: other users see it in ps", _EXAMPLE)
        if parts.scheme not in _DEFAULT_PORTS:
            raise UsageError(f"{shown} is not a URL that begins with http:// or https://", _EXAMPLE)
        if not parts.hostname or not parts.hostname.isascii() or port == 0:
            raise UsageError(f"{shown} names no server", _EXAMPLE)
        if parts.fragment:
            raise UsageError(f"{shown}: what follows the # is never sent to a server", _EXAMPLE)
        return cls(
            host=parts.hostname.replace("%25", "%") if ":" in parts.hostname else parts.hostname,
            port=port or _DEFAULT_PORTS[parts.scheme],
            path=quote(parts.path, safe=_SAFE) or "/",
            query=quote(parts.query, safe=_SAFE + "?"),
            is_secure=parts.scheme == "https",
        )

    @property
    def server(self) -> str:
        """``host:port``, as a person writes it."""
        return f"[{self.host.replace('%', '%25')}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def header(self) -> str:
        """The same as a Host header has it: a zone means nothing to the other side."""
        return replace(self, host=self.host.partition("%")[0]).server

    @property
    def url(self) -> str:
        """The URL again."""
        return f"http{'s' * self.is_secure}://{self.server}{self.resource}"

    @property
    def resource(self) -> str:
        """What is asked of the server: the path with its query."""
        return f"{self.path}?{self.query}" if self.query else self.path

    def at(self, path: str, query: str = "") -> Address:
        """Another place on the same server; ``path`` that does not begin with a slash follows this one's."""
        return replace(self, path=path if path.startswith("/") else self.path + path, query=query)
