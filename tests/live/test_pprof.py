"""What memdash says of a profile is what go tool pprof says, to the letter."""

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from memdash.cli import main
from memdash.pprof.decode import decode
from memdash.pprof.document import Document, Function, Label, Line, Location, Mapping, Sample, ValueType
from memdash.pprof.encode import encode
from memdash.pprof.text import Writer
from memdash.pprof.top import top
from memdash.pprof.view import Options, View
from memdash.process.identity import identify
from memdash.session.profiles import take_profile
from tests.live.conftest import StartGo
from tests.live.gopprof import WORK, go_pprof, rows
from tests.live.pprof_endpoint import fetch_heap
from tests.live.pythons import Python, readable
from tests.live.target import GoTarget, LiveTarget
from tests.pprof.documents import CORPUS
from tests.pprof.synthetic import heap_profile

pytestmark = [pytest.mark.live, pytest.mark.usefixtures("utc")]

Ours = Callable[..., str]


@pytest.fixture
def ours(capfd: pytest.CaptureFixture[str]) -> Ours:
    """What a memdash command prints; it must succeed."""

    def run(*argv: str | Path) -> str:
        code = main([str(word) for word in argv])
        out, err = capfd.readouterr()
        assert (code, err) == (0, "")
        return out

    return run


@pytest.fixture(scope="module")
def synthetic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("synthetic") / "heap.pb.gz"
    path.write_bytes(encode(heap_profile(1500)))
    return path


def as_memdash(options: list[str]) -> list[str]:
    """The same in memdash's words."""
    words: list[str] = []
    for option in options:
        name, _, value = option.removeprefix("-").replace("_", "-").partition("=")
        if name in ("functions", "filefunctions", "files", "lines", "addresses"):
            words += ["--granularity", name]
        elif name in ("top", "tree", "peek"):
            words += [name, *([value] if value else [])]
        else:
            words += [f"--{name}", *([option.partition("=")[2]] if value else [])]
    return words


@pytest.mark.parametrize(
    "options",
    [
        ["-top"],
        ["-top", "-cum", "-nodecount=12"],
        ["-top", "-nodefraction=0.05", "-edgefraction=0.03"],
        ["-top", "-nodefraction=0"],
        ["-top", "-lines", "-sample_index=alloc_space"],
        ["-top", "-files"],
        ["-top", "-filefunctions"],
        ["-top", "-addresses", "-sample_index=alloc_objects"],
        ["-top", "-sample_index=0"],
        ["-tree"],
        ["-tree", "-cum", "-lines", "-nodecount=20"],
        ["-peek=Method1"],
        ["-peek=pkg1", "-cum", "-files"],
        ["-top", "-focus=Method1"],
        ["-top", "-focus=server$"],
        ["-top", "-ignore=Func[12]"],
        ["-top", "-hide=Method|file3"],
        ["-tree", "-show=pkg[1-4]/"],
        ["-top", "-focus=pkg1", "-ignore=Type2", "-hide=(?i)METHOD3", "-show=shop.*[[:digit:]]$"],
    ],
    ids=" ".join,
)
def test_a_synthetic_profile(ours: Ours, synthetic: Path, options: list[str]) -> None:
    assert ours(*as_memdash(options), synthetic) == go_pprof(*options, synthetic)


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_profiles_of_every_kind(ours: Ours, path: Path) -> None:
    for view in ("top", "tree"):
        assert ours(view, path) == go_pprof("-symbolize=none", f"-{view}", path)


@pytest.mark.parametrize("option", ["base", "diff_base"])
def test_differences(ours: Ours, tmp_path: Path, synthetic: Path, option: str) -> None:
    old = tmp_path / "old.pb.gz"
    old.write_bytes(encode(elsewhere(decode(synthetic.read_bytes()))))
    base = f"-{option}={old}"
    for options in (["-top", base], ["-top", "-sample_index=alloc_objects", base], ["-tree", base]):
        mine, theirs = ours(*as_memdash(options), synthetic), go_pprof(*options, synthetic)
        # Calls that gained and lost as much stand in no order there, nor twice in the same.
        assert mine == theirs or sorted(mine.splitlines()) == sorted(theirs.splitlines())
    subtract = ["--subtract"] * (option == "base")
    assert ours("diff", *subtract, old, synthetic) == go_pprof("-top", base, synthetic)


def elsewhere(document: Document) -> Document:
    """The same program a while before, loaded at another address: some stacks held less, some more, some nothing."""
    dice = random.Random(7)
    samples = [
        sample._replace(values=tuple(value * times for value in sample.values))
        for sample in document.samples
        if (times := dice.choice((0, 1, 1, 2)))
    ]
    mapping = document.mappings[0]
    moved = mapping._replace(start=mapping.start + 0x1000, limit=mapping.limit + 0x1000)
    locations = {
        key: location._replace(address=location.address + 0x1000, mapping=moved)
        for key, location in document.locations.items()
    }
    return replace(
        document,
        samples=tuple(samples),
        mappings=(moved,),
        locations=locations,
        time_ns=document.time_ns - 60_000_000_000,
    )


def odd_profile() -> Document:
    """Names that pprof changes, recursion, stacks without frames, negative values, several binaries."""
    names = (
        "main.main", "std::vector<int, A<b> >::push_back(int const&)", "pkg.Map[go.shape.func(int) bool]",
        "pkg.(*Set[int]).Add", "operator new(unsigned long)", "Outer.<init>", "broken(((", "a::b)c(d)", "malloc", "",
    )  # fmt: skip
    functions = [Function(name, name, f"/src/./x//{number % 3}/../f.go", 3) for number, name in enumerate(names)]
    functions += [Function("named", "_Z5namedv", "x.cc"), Function("", "linked", "")]
    program = Mapping(0x1000, 0x9000, 0, "/bin/odd", "00ff", has_functions=True)
    library = Mapping(0x9000, 0xA000, 0, "/lib/libodd.so", has_functions=True)
    locations = {
        key: Location((Line(function, 10 + key, 2),), library if key % 4 == 0 else program, 0x1000 + key)
        for key, function in enumerate(functions, start=1)
    }
    locations[20] = Location(tuple(Line(functions[number], 5) for number in (3, 0, 3)), program, 0x2000)
    locations[21] = Location((), library, 0x9100)
    dice = random.Random(3)
    keys = sorted(locations)
    samples = [
        Sample(
            tuple(dice.choices(keys, k=dice.choice((0, 1, 2, 5, 9)))),
            (dice.randrange(-300, 900), dice.randrange(1 << 40)),
            (Label("bytes", number=dice.randrange(3)),) * dice.randrange(2),
        )
        for _ in range(80)
    ]
    return Document(
        sample_types=(ValueType("samples", "count"), ValueType("cpu", "nanoseconds")),
        samples=tuple(samples),
        locations=locations,
        mappings=(program, library),
        period_type=ValueType("cpu", "nanoseconds"),
        period=10_000_000,
        time_ns=1_600_000_000_000_000_000,
        duration_ns=30_100_000_000,
        drop_frames="malloc|operator new",
        comments=("a word", "# hidden"),
        doc_url="https://example.com/doc",
    )


@pytest.mark.parametrize("sample", ["samples", "cpu"])
def test_an_odd_profile(ours: Ours, tmp_path: Path, sample: str) -> None:
    path = tmp_path / "odd.pb.gz"
    path.write_bytes(encode(odd_profile()))
    for view, option in (("top", ""), ("tree", ""), ("top", "lines"), ("top", "addresses"), ("top", "files")):
        theirs = go_pprof(f"-{view}", f"-sample_index={sample}", *([f"-{option}"] if option else []), path)
        mine = ours(view, "--sample-index", sample, *(["--granularity", option] if option else []), path)
        assert mine.splitlines() == theirs.splitlines()


def test_source_lines(ours: Ours, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "shop" / "store.go"
    source.parent.mkdir()
    source.write_text("".join(f"\tline({number})\r\n" for number in range(1, 60)) + "// the end")
    monkeypatch.chdir(source.parent)
    places = {"shop.Add": [(7, 0), (12, 0)], "shop.(*Store).Grow": [(30, 25)], "shop.Last": [(58, 0), (60, 0)]}
    document = listed(str(source), places)
    for file in (str(source), "/elsewhere/shop/store.go", "store.go"):
        path = tmp_path / "heap.pb.gz"
        path.write_bytes(encode(listed(file, places)))
        assert ours("list", "shop", path) == go_pprof("-list=shop", path)
    assert len(document.samples) == 5


def listed(file: str, places: dict[str, list[tuple[int, int]]]) -> Document:
    """Functions that hold something at (line, line the function begins at)."""
    program = Mapping(0x1000, 0x9000, 0, "/bin/shop", "00ff", has_functions=True)
    lines = [Line(Function(name, name, file, start), line) for name, held in places.items() for line, start in held]
    locations = {key: Location((line,), program, 0x1000 + key) for key, line in enumerate(lines, start=1)}
    return replace(
        heap_profile(1),
        mappings=(program,),
        locations=locations,
        samples=tuple(Sample((key, 1), (key, key * 300, key, key * 300)) for key in locations),
    )


@pytest.fixture
def target(start_go: StartGo) -> GoTarget:
    started = start_go("stripped", "pprof")
    for command in WORK:
        started.command(command)
    return started


def test_a_saved_profile_says_what_the_endpoint_says(ours: Ours, target: GoTarget, tmp_path: Path) -> None:
    saved, theirs = tmp_path / "saved.pb.gz", tmp_path / "endpoint.pb.gz"
    for _ in range(10):  # until no collection comes between
        ours("profile", str(target.pid), "--force", "-o", saved)
        theirs.write_bytes(fetch_heap(target))
        ours("profile", str(target.pid), "--force", "-o", tmp_path / "again")
        if decode(saved.read_bytes()).samples == decode((tmp_path / "again").read_bytes()).samples:
            break
    for options in (
        ["-top"],
        ["-tree"],
        ["-top", "-nodefraction=0", "-sample_index=alloc_objects"],
        ["-top", "-lines", "-sample_index=inuse_objects"],
    ):
        assert rows(go_pprof(*options, saved)) == rows(go_pprof(*options, theirs))
    kept, given = decode(saved.read_bytes()), decode(theirs.read_bytes())
    assert (kept.period, kept.period_type, kept.sample_types) == (given.period, given.period_type, given.sample_types)
    assert kept.mappings[0].build_id == given.mappings[0].build_id
    assert kept.mappings[0].file == given.mappings[0].file
    assert ours("top", saved) == go_pprof("-top", saved)


def test_a_process_is_shown_like_its_file(ours: Ours, target: GoTarget, tmp_path: Path) -> None:
    saved = tmp_path / "saved.pb.gz"
    ours("profile", str(target.pid), "-o", saved)
    for verb in (["top"], ["tree"], ["peek", "main"], ["flame"]):
        assert rows(ours(*verb, str(target.pid))) == rows(ours(*verb, saved))


@pytest.mark.parametrize("python", readable((8, 14)))
@pytest.mark.parametrize("traced", [False, True], ids=["objects", "sites"])
def test_what_a_python_holds_opens_too(python: Python, traced: bool, tmp_path: Path) -> None:
    program = Path(__file__).parent / f"programs/python/{'leaking' if traced else 'objects'}.py"
    with LiveTarget([python.executable, program], {"PYTHONTRACEMALLOC": "5" if traced else "0"}) as target:
        document = take_profile(identify(target.pid)).document
    saved = tmp_path / "heap.pb.gz"
    saved.write_bytes(encode(document))
    view = View(document, Options())
    assert view.total > 0
    assert go_pprof("-top", saved).splitlines() == list(Writer(view).top(top(view)))
    assert any(bool(location.lines[0].function.file) for location in document.locations.values()) is traced


def test_a_program_without_a_profile_shows_its_objects_and_says_why(
    start_go: StartGo, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    target = start_go("stripped")
    saved = tmp_path / "objects.pb.gz"
    code = main(["profile", str(target.pid), "-o", str(saved)])
    _, err = capfd.readouterr()
    assert code == 0
    assert "live objects by type" in err
    assert "does not link Go's heap profiler" in err
    view = View(decode(saved.read_bytes()), Options())
    assert go_pprof("-top", saved).splitlines() == list(Writer(view).top(top(view)))
