"""The verbs on profiles: what they are pointed at, what they print where, and what they say when it cannot be done."""

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from memdash.commands.source import profile_from
from memdash.model.missing import Missing
from memdash.model.objects import Objects, TypeCount
from memdash.model.profile import Frame, Profile, Site, Usage
from memdash.model.sample import Instant, Sample
from memdash.model.snapshot import Snapshot
from memdash.model.tasks import Tasks
from memdash.pprof.decode import decode
from memdash.pprof.encode import encode
from memdash.session.live import read_once
from tests.fakes import a_thread, some_threads
from tests.pprof.documents import of_stacks
from tests.programs import asked_by_a_shell, loaded, memdash, of_a_screen, offers
from tests.recorded import record, watched

Run = Callable[..., tuple[int, str, str]]
OURSELVES = str(os.getpid())
STACKS = {"main > add@store.go:7 > grow@store.go:9": 800, "main > log": 200}
VIEWS = [["top"], ["tree"], ["flame"], ["peek", "add"], ["list", "add"]]


@pytest.fixture
def heap(tmp_path: Path) -> Path:
    path = tmp_path / "heap.pb.gz"
    path.write_bytes(encode(of_stacks(STACKS)))
    return path


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view[0])
def test_each_view_is_text_or_json(run: Run, heap: Path, view: list[str]) -> None:
    code, out, _ = run(*view, heap)
    assert code == 0
    assert "add" in out
    code, out, _ = run(*view, "--json", heap)
    assert code == 0
    document = json.loads(out)
    assert (document["schema"], document["view"], document["unit"], document["total"]) == (
        "memdash/1",
        view[0],
        "bytes",
        1000,
    )
    assert document["rows"]


def test_json_holds_whole_numbers(run: Run, heap: Path) -> None:
    rows = json.loads(run("top", "--json", heap)[1])["rows"]
    assert [(row["frame"]["function"], row["flat"], row["cum"]) for row in rows[:2]] == [
        ("grow", 800, 800),
        ("log", 200, 200),
    ]
    (add,) = json.loads(run("peek", "--json", "add", heap)[1])["rows"]
    assert [edge["frame"]["function"] for edge in add["callers"] + add["callees"]] == ["main", "grow"]
    (listed,) = json.loads(run("list", "--json", "add", heap)[1])["rows"]
    assert (listed["missing"] is not None, listed["lines"]) == (
        True,
        [{"line": 7, "text": None, "flat": 0, "cum": 800}],
    )


def test_a_view_goes_to_a_file_that_did_not_exist(run: Run, heap: Path, tmp_path: Path) -> None:
    out = tmp_path / "top.txt"
    assert run("top", "-o", out, heap) == (0, "", "")
    assert "grow" in out.read_text()
    code, _, err = run("top", "-o", out, heap)
    assert code == 2
    assert "exists already" in err


def test_a_filter_without_effect_is_told(run: Run, heap: Path) -> None:
    code, out, err = run("top", "--hide", "nothing", heap)
    assert (code, err) == (0, "memdash: --hide matched nothing\n")
    assert "Active filters:\n   hide=nothing\n" in out


def test_source_files_that_are_missed_are_told(run: Run, heap: Path) -> None:
    code, out, err = run("list", "add", heap)
    assert (code, err.count("\n")) == (0, 1)
    assert " Error: could not find file store.go" in out
    assert "1 source file could not be read; --source-path" in err


def test_source_lines_are_found(run: Run, heap: Path, tmp_path: Path) -> None:
    (tmp_path / "store.go").write_text("".join(f"line {n}\n" for n in range(1, 12)))
    code, out, err = run("list", "--source-path", tmp_path, "add", heap)
    assert (code, err) == (0, "")
    assert "         .       800B      7:line 7\n" in out


def test_a_difference_is_negative_where_something_shrank(run: Run, heap: Path, tmp_path: Path) -> None:
    new = tmp_path / "new.pb.gz"
    new.write_bytes(encode(of_stacks({"main > log": 500})))
    code, out, _ = run("diff", heap, new)
    assert code == 0
    assert "-800B 80.00%" in out
    assert "300B 30.00%" in out
    code, out, _ = run("diff", "--subtract", heap, new)
    assert "-800B 72.73%" in out
    code, out, _ = run("flame", "--diff-base", heap, new)
    assert "+300B" in out
    assert "-800B" in out


@pytest.mark.parametrize(
    ("argv", "code", "what", "hint"),
    [
        (["top"], 2, "missing argument", "memdash top --help"),
        (["top", "/no/such/file"], 2, "there is no file '/no/such/file'", "pid"),
        (["top", "/proc/self/nul\0"], 2, "there is no file", "pid"),
        (["top", "/"], 2, "is a directory", "pid"),
        (["top", "/dev/zero"], 2, "is not a file", "pid"),
        (["top", "HERE/bad"], 2, "HERE/bad: this is not a profile: it is text", "/debug/pprof/heap"),
        (["top", "HERE/text"], 2, "HERE/text: this is text", "debug=1"),
        (["top", "HERE/empty"], 2, "HERE/empty: the profile is empty", "memdash profile"),
        (["top", "HERE/cut"], 2, "HERE/cut: the profile is cut off", "memdash profile"),
        (["top", "2147483648"], 3, "no process has pid 2147483648", "memdash ps"),
        (["top", "--focus", "(", "HERE/heap.pb.gz"], 2, "--focus: '(' is not a regular expression", r"main\."),
        (["peek", "[", "HERE/heap.pb.gz"], 2, "REGEX: '[' is not a regular expression", r"main\."),
        (["peek", "nothing", "HERE/heap.pb.gz"], 2, "no function matches 'nothing'", "memdash top"),
        (["list", "nothing", "HERE/heap.pb.gz"], 2, "no function matches 'nothing'", "memdash top"),
        (["top", "--sample-index", "cpu", "HERE/heap.pb.gz"], 2, "this profile has no 'cpu'", "inuse_space"),
        (["top", "-node_count=3", "HERE/heap.pb.gz"], 2, "no such option", "see memdash top --help"),
        (["top", "-sample_index=x", "HERE/heap.pb.gz"], 2, "no such option", "did you mean --sample-index=x?"),
        (["top", "localhost:6060"], 2, "looks like a server", "write http://localhost:6060"),
        (["top", "--granularity", "line", "HERE/heap.pb.gz"], 2, "no granularity 'line'", "did you mean lines?"),
        (["top", "--nodecount", "0", "HERE/heap.pb.gz"], 2, "--nodecount: '0' is not a whole number from 1 on", "20"),
        (["top", "--nodefraction", "2", "HERE/heap.pb.gz"], 2, "--nodefraction: '2' is not a share", "0.5%"),
        (["top", "--base", "x", "--diff-base", "y", "HERE/heap.pb.gz"], 2, "exclude each other", "leave one"),
        (["top", "--base", "HERE/bad", "HERE/heap.pb.gz"], 2, "HERE/bad: this is not a profile", "pprof"),
        (["diff", "--base", "x", "HERE/heap.pb.gz", "HERE/heap.pb.gz"], 2, "as arguments", "memdash diff OLDER NEWER"),
        (["diff", "HERE/heap.pb.gz"], 2, "missing argument", "memdash diff --help"),
        (["profile", "-o", "HERE/heap.pb.gz", OURSELVES], 2, "exists already", "--force"),
        (["profile", "--gc", "-o", "HERE/new", OURSELVES], 2, "force GC wants a yes", "--yes"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_one_line_and_a_hint(
    run: Run, heap: Path, argv: list[str], code: int, what: str, hint: str
) -> None:
    here = heap.parent
    (here / "bad").write_bytes(b"neither")
    (here / "text").write_bytes(b"heap profile: 1: 2 [3: 4] @ heap/1048576\n")
    (here / "empty").touch()
    (here / "cut").write_bytes(heap.read_bytes()[:-9])
    found, out, err = run(*(word.replace("HERE", str(here)) for word in argv))
    assert (found, out) == (code, "")
    said, tried = err.splitlines()
    assert what.replace("HERE", str(here)).casefold() in said.casefold()
    assert hint in tried


def test_a_profile_may_come_through_a_pipe(run: Run, tmp_path: Path) -> None:
    raw = gzip.decompress(encode(of_stacks(STACKS)))
    command = f"{sys.executable} -m memdash top <(cat {tmp_path}/raw)"
    (tmp_path / "raw").write_bytes(raw)
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "grow" in done.stdout


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view[0])
def test_each_view_reads_a_profile_that_is_piped_in(
    run: Run, heap: Path, view: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with heap.open() as piped:
        monkeypatch.setattr("sys.stdin", piped)
        code, out, err = run(*view, "-")
    assert (code, "add" in out) == (0, True), err


def test_what_is_piped_in_is_compared_with_a_file(run: Run, heap: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for argv in (("diff", "-", heap), ("diff", heap, "-"), ("top", "--base", "-", heap)):
        with heap.open() as piped:
            monkeypatch.setattr("sys.stdin", piped)
            assert run(*argv)[0] == 0
    code, out, err = run("diff", "-", "-")
    assert (code, out) == (2, "")
    assert "standard input holds one profile" in err


@pytest.mark.parametrize(
    ("piped", "words"),
    [
        (b"", "standard input: the profile is empty"),
        (b"404 page not found\n", "standard input: this is not a profile: it is text"),
        (gzip.compress(bytes(65 << 20)), "standard input: this is more than 64 MiB unpacked"),
        (b"\0" * (65 << 20), "standard input: this is more than 64 MiB"),
    ],
    ids=["nothing", "text", "a bomb", "too much"],
)
def test_nonsense_that_is_piped_in_is_told(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, piped: bytes, words: str
) -> None:
    (tmp_path / "piped").write_bytes(piped)
    with (tmp_path / "piped").open() as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        code, out, err = run("top", "-")
    assert (code, out, len(err.splitlines())) == (2, "", 2)
    assert words in err


def test_no_profile_is_waited_for_at_a_terminal(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    leader, follower = os.openpty()
    with os.fdopen(leader), os.fdopen(follower) as terminal:
        monkeypatch.setattr("sys.stdin", terminal)
        code, out, err = run("flame", "-")
        assert (code, out, "it is a terminal" in err) == (2, "", True)
        monkeypatch.setattr("sys.stdin", None)
        code, out, err = run("top", "-")
        assert (code, out, "it is closed" in err) == (2, "", True)


def test_a_file_named_like_a_pid_is_a_file(heap: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(heap.parent)
    heap.rename("1234")
    assert len(profile_from("1234").document.samples) == 2


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Have the next look at a process find these facts."""

    def seen(**facts: Any) -> None:
        def look(*args: Any, **options: Any) -> Snapshot:
            found = read_once(*args, **options)
            return replace(
                found, sample=replace(Sample.empty(Instant(5.25, 0.0), Missing("no reader", "get one")), **facts)
            )

        monkeypatch.setattr("memdash.session.profiles.read_once", look)

    return seen


SITES = Profile((Site((Frame("<module>", "shop.py", 3),), Usage(64, 1, 128, 2)),), 1, published=True)
OBJECTS = Objects((TypeCount("dict", 3, 300),))


def test_a_saved_profile_is_what_the_process_held(run: Run, seen: Callable[..., None], tmp_path: Path) -> None:
    seen(sites=SITES, objects=OBJECTS)
    out = tmp_path / "heap.pb.gz"
    assert run("profile", OURSELVES, "-o", out) == (0, "", "")
    document = decode(out.read_bytes())
    assert document.samples[0].values == (2, 128, 1, 64)
    program = document.mappings[0]
    assert program.file == str(Path(sys.executable).resolve())
    assert program.start < program.limit
    assert run("profile", OURSELVES, "-o", out)[0] == 2
    assert run("profile", OURSELVES, "-o", out, "--force")[0] == 0


def test_without_sites_it_is_objects_by_type(run: Run, seen: Callable[..., None]) -> None:
    seen(objects=OBJECTS, gc=Missing("x"))
    code, out, err = run("top", OURSELVES)
    assert code == 0
    assert "dict" in out
    assert "live objects by type, for there are no allocation sites: no reader" in err


def test_with_neither_it_says_why(run: Run, seen: Callable[..., None]) -> None:
    seen()
    code, out, err = run("top", OURSELVES)
    assert (code, out) == (1, "")
    assert err == "memdash: there is no profile to be had: no reader\n  try: get one\n"


def test_what_a_process_does_is_saved_by_where_it_stands(run: Run, seen: Callable[..., None], tmp_path: Path) -> None:
    seen(tasks=some_threads())
    out = tmp_path / "threads.pb.gz"
    assert run("profile", OURSELVES, "--type", "thread", "-o", out) == (0, "", "")
    assert sorted(sample.values for sample in decode(out.read_bytes()).samples) == [(1,), (1,), (1,), (8,)]
    for kind, words in (
        ("goroutine", "memdash: no goroutines of it are known\n  try: --type thread\n"),
        (
            "asyncio",
            (
                "memdash: its asyncio tasks are told by memdash's agent alone, which is not there\n"
                "  try: --agent brings it for a moment\n"
            ),
        ),
    ):
        assert run("profile", OURSELVES, "--type", kind, "-o", tmp_path / "no") == (1, "", words)
    told = run("profile", OURSELVES, "--type", "thread", "--agent", "-o", tmp_path / "no")
    assert (told[0], "--agent samples allocations" in told[2]) == (2, True)
    told = run("profile", OURSELVES, "--type", "asyncio", "--agent", "--for", "1s", "-o", tmp_path / "no")
    assert (told[0], "leave it away" in told[2]) == (2, True)
    seen(tasks=Tasks((a_thread("work", "runnable", 9, stack=()),)))
    told = run("profile", OURSELVES, "--type", "thread", "-o", tmp_path / "no")
    assert (told[0], "where its threads stand is not told" in told[2]) == (1, True)
    seen(tasks=Missing("no reader", "get one"))
    told = run("profile", OURSELVES, "--type", "thread", "-o", tmp_path / "no")
    assert told[2] == "memdash: there is no profile of threads to be had: no reader\n  try: get one\n"
    assert not (tmp_path / "no").exists()


def test_what_it_did_is_saved_of_a_recording_too(run: Run, tmp_path: Path) -> None:
    file, out = tmp_path / "run.mdr", tmp_path / "threads.pb.gz"
    record(file, watched(125))
    for moment, count in (("@12:07:50", 8), ("", 10)):
        assert run("profile", f"{file}{moment}", "--type", "thread", "--force", "-o", out) == (0, "", "")
        assert max(sample.values for sample in decode(out.read_bytes()).samples) == (count,)


def test_the_lines_of_a_live_python_are_found_in_its_own_files(
    run: Run, seen: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "shop.py"
    source.write_text("import this\n\nbasket = []\n")
    seen(sites=replace(SITES, sites=(SITES.sites[0]._replace(stack=(Frame("fill", str(source), 3),)),)))
    code, out, err = run("list", "fill", OURSELVES)
    assert (code, err) == (0, "")
    assert "       64B        64B      3:basket = []\n" in out


def test_a_profile_is_not_written_to_a_terminal(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    code, _, err = run("profile", OURSELVES)
    assert code == 2
    assert "-o heap.pb.gz" in err


HEADLESS = [[*view, "FILE"] for view in VIEWS] + [["diff", "FILE", "FILE"]]


def test_verbs_on_profiles_load_no_screen(heap: Path) -> None:
    lines = [[word.replace("FILE", str(heap)) for word in argv] for argv in HEADLESS]
    heavy = {line: of_a_screen(modules) | modules & {"sqlite3"} for line, modules in loaded(*lines).items()}
    assert {line: modules for line, modules in heavy.items() if modules} == {}


def test_the_dashboard_does_not_pay_for_profiles() -> None:
    """Nor for servers: it watches itself, which has none."""
    program = (
        "import os, sys; import memdash.ui.app, memdash.commands.watch; "
        "from memdash.process.identity import identify; from memdash.session import read_once; "
        "read_once(identify(os.getpid())); print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    heavy = ("google.protobuf", "memdash.pprof", "http.client", "ssl")
    assert [name for name in done.stdout.split() if name.startswith(heavy)] == []


@pytest.mark.parametrize(
    ("words", "word"),
    [
        ("memdash top --gran", "--granularity"),
        ("memdash top --granularity li", "lines"),
        pytest.param(f"memdash top {OURSELVES[:-1]}", OURSELVES, id="a pid"),
        ("memdash fl", "flame"),
    ],
)
def test_arguments_and_choices_are_completed(offered: Callable[[str], dict[str, str]], words: str, word: str) -> None:
    assert word in offered(words)


def test_a_file_is_offered_by_the_shell() -> None:
    answer = memdash(env=os.environ | asked_by_a_shell("memdash top he")).stdout
    assert offers(answer)["he"] == "file"
