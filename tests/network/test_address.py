"""What a person may mean by a URL."""

import pytest

from memdash.errors import UsageError
from memdash.network.address import Address


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://localhost:6060", "http://localhost:6060/"),
        ("HTTP://LocalHost", "http://localhost:80/"),
        ("https://example.org/debug/pprof/", "https://example.org:443/debug/pprof/"),
        ("http://[::1]:6060/x?seconds=5", "http://[::1]:6060/x?seconds=5"),
        ("http://[fe80::1%25eth0]:6060/", "http://[fe80::1%25eth0]:6060/"),
        ("http://[fe80::1%eth0]:6060/", "http://[fe80::1%25eth0]:6060/"),
        ("http://h:1/@v/list", "http://h:1/@v/list"),
        ("http://h:1/a%20b/ü", "http://h:1/a%20b/%C3%BC"),
    ],
)
def test_a_url_is_taken_apart_and_put_together(text: str, url: str) -> None:
    assert Address.parse(text).url == url


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("localhost:6060", "http:// or https://"),
        ("ftp://h/", "http:// or https://"),
        ("file:///etc/passwd", "http:// or https://"),
        ("http://", "names no server"),
        ("http://:80/", "names no server"),
        ("http://h:0/", "names no server"),
        ("http://h:99999/", "is not a URL"),
        ("http://h:x/", "is not a URL"),
        ("http://[::1/", "is not a URL"),
        ("http://me:secret@h/", "user or password"),
        ("http://me@h/", "user or password"),
        ("ftp://me:secret@h/", "user or password"),
        ("me:secret@h:6060", "http:// or https://"),
        ("http://me:secret@h:x/", "is not a URL"),
        ("http://me:secret/s@h/", "is not a URL"),
        ("http://[me:secret@h/", "is not a URL"),
        ("http://h/#top", "never sent"),
        ("http://h/a b", "spaces"),
        ("http://h/\r\nX: y", "control characters"),
        ("http://h/" + "x" * 5000, "that long"),
        ("http://bücher.example/", "names no server"),
    ],
)
def test_what_is_no_url_for_us_is_refused(text: str, what: str) -> None:
    with pytest.raises(UsageError, match=what) as caught:
        Address.parse(text)
    assert "secret" not in str(caught.value)


def test_a_zone_is_for_the_system_and_not_for_the_server() -> None:
    address = Address.parse("http://[fe80::1%25eth0]:6060/")
    assert (address.host, address.header) == ("fe80::1%eth0", "[fe80::1]:6060")


def test_places_on_the_same_server() -> None:
    base = Address.parse("http://h:1/debug/pprof/")
    assert base.at("heap", "gc=1").url == "http://h:1/debug/pprof/heap?gc=1"
    assert base.at("/debug/vars").url == "http://h:1/debug/vars"
