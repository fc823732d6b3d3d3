"""What must not leave the house does not, in any format; what tells where the leak is does."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace

import pytest

from memdash.exports.formats import FORMATS, exporter
from memdash.exports.redact import redacted
from memdash.model.missing import Missing
from memdash.model.snapshot import Snapshot
from memdash.model.target import Target
from tests.exports.hostile import watch_with
from tests.fakes import a_snapshot, a_target

pytestmark = pytest.mark.usefixtures("utc")

KEY = b"some machine"
SECRET = "zanzibar"  # noqa: S105 - it opens nothing


def private(text: str) -> str:
    """A secret in every part of it."""
    return "/".join(
        f"{SECRET} {part}" if part == "other shop" else f"{part}{SECRET}" for part in text.split("/") if part
    )


def private_path(text: str) -> str:
    made = private(text)
    return f"/{made}" if text.startswith("/") else made


def written(name: str, snapshot: Snapshot) -> str:
    out = io.BytesIO()
    exporter(name).write([snapshot], out)
    return out.getvalue().decode()


@pytest.mark.parametrize("name", FORMATS)
def test_no_piece_of_a_secret_is_left_and_figures_are(name: str) -> None:
    shown = watch_with(private_path)
    assert written(name, shown).count(SECRET) > 10
    report = written(name, redacted(shown, KEY))
    assert SECRET not in report.lower()
    assert "hunter2" not in report
    for kept in ("Store", "Add", "shop.cart.Order", "118", "38 /min", "41287"):
        assert kept in report


def test_words_of_the_machine_go_too() -> None:
    shown = a_snapshot(seconds=2)
    sentence = Missing(
        "closed to alice on box-17.example.org, who is at 10.1.2.3 or al@example.org: see /home/al ice/x"
    )
    shown = replace(shown, groups=sentence, sample=replace(shown.sample, sites=sentence))
    why = redacted(shown, KEY, ("alice", "box-17.example.org")).groups
    assert isinstance(why, Missing)
    assert re.fullmatch(
        r"closed to user-\w{8} on user-\w{8}, who is at host-\w{8} or host-\w{8}: see file-\w{8} ice/x", why.why
    )


def test_the_same_is_called_the_same_and_by_another_key_otherwise() -> None:
    shown, later = watch_with(private_path), watch_with(private_path)
    assert written("json", redacted(shown, KEY)) == written("json", redacted(later, KEY))
    document = json.loads(written("json", redacted(shown, KEY)))
    other = json.loads(written("json", redacted(shown, b"another")))
    assert document["target"]["exe"] != other["target"]["exe"]
    frame = document["sites"]["rows"][0]["stack"][0]
    assert re.fullmatch(r"file-\w{8}", frame["file"])
    assert f"{frame['file']}:118" in document["verdict"]["summary"]


def test_the_kind_of_a_source_file_stays() -> None:
    shown = redacted(a_snapshot(seconds=2), KEY)
    assert not isinstance(shown.groups, Missing)
    assert {re.sub(r"-\w{8}", "", group.frame.file) for group in shown.groups} == {"file.go"}


def test_what_says_nothing_of_anybody_is_left_as_it_is() -> None:
    shown = a_snapshot(seconds=2, target=a_target(exe="/opt/1.27.3/bin/shop", runtime_version="go 1.27.3"))
    report = redacted(shown, KEY)
    assert report.sample.memstats is shown.sample.memstats
    assert report.sample.gc is shown.sample.gc
    assert report.history is shown.history
    assert report.target.runtime_version == shown.target.runtime_version


def test_a_server_somewhere_is_not_named() -> None:
    shown = replace(
        a_snapshot(seconds=2), target=Target.at_url("http://db.example.org:6060/debug/pprof/", "db.example.org:6060")
    )
    for name in FORMATS:
        report = written(name, redacted(shown, KEY))
        assert "example" not in report
        assert "6060" not in report
