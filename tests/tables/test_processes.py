from dataclasses import replace

from memdash.exports.text import table_lines
from memdash.model.capability import Capability
from memdash.model.target import Runtime
from memdash.probes.probe import Fit, Refusal
from memdash.probes.survey import Surveyed
from memdash.process.listing import user_name
from memdash.tables.processes import is_wanted, processes_table, readable_words
from memdash.units import MIB
from tests.fakes import a_target

GO = Fit(10, frozenset({Capability.SITES, Capability.GC, Capability.MEMSTATS}), Runtime.GO, "go1.27.3")
SYSTEM = Fit(0, frozenset({Capability.SYSTEM, Capability.SMAPS}), Runtime.NATIVE)
SERVER = Surveyed(a_target(), 533 * MIB, 11_520.0, (("go", GO), ("system", SYSTEM)))
CLOSED = Surveyed(
    a_target(pid=7, argv=(), name="agetty", runtime=Runtime.NATIVE, runtime_version=""),
    2 * MIB,
    11_520.0,
    (("go", Refusal("its memory is closed to us", "use sudo")), ("system", SYSTEM)),
)


def test_each_process_says_what_can_be_read_of_it() -> None:
    table = processes_table([SERVER, CLOSED])
    texts = [tuple(cell.text for cell in row.cells) for row in table.rows]
    user = user_name(1000)
    assert texts == [
        ("41287", user, "533.0 MiB", "3h12m", "go1.27.3", "MemStats GC sites", "/srv/shop-server --port 8080"),
        ("7", user, "2.00 MiB", "3h12m", "native", "system view", "agetty"),
    ]
    assert [row.key for row in table.rows] == ["41287", "7"]
    assert table.rows[1].cells[5].note == "its memory is closed to us"


MASTER = replace(SERVER, below=2, tree_rss_bytes=900 * MIB)
WORKERS = tuple(
    replace(SERVER, target=a_target(pid=pid), rss_bytes=180 * MIB, above=above)
    for pid, above in ((50, (41287,)), (51, (41287, 50)))
)


def test_workers_stand_below_their_master_which_has_the_total() -> None:
    rows = [[cell.text for cell in row.cells] for row in processes_table([MASTER, *WORKERS]).rows]
    assert [row[3] for row in rows] == ["900.0 MiB", "", ""]
    assert [row[-1].split("/")[0] for row in rows] == ["", "  ", "    "]
    assert processes_table([MASTER]).rows[0].cells[3].note == "it and 2 more below it"


def test_whose_master_is_not_wanted_stands_by_itself() -> None:
    """Masters that do not match are not kept: enter would take the first row, which nobody asked for."""
    rows = processes_table(WORKERS).rows
    assert [row.cells[-1].text for row in rows] == ["/srv/shop-server --port 8080", "  /srv/shop-server --port 8080"]


def test_figures_fit_their_columns() -> None:
    table = processes_table([replace(SERVER, up_s=200 * 86_400, rss_bytes=1023 << 50), CLOSED])
    for row in table.rows:
        for column, cell in zip(table.columns, row.cells, strict=True):
            assert len(cell.text) <= column.width or not column.width


def test_a_process_nothing_can_read_has_the_system_view() -> None:
    assert readable_words(Surveyed(a_target(), 0, 0.0, (("go", Refusal("no")),))) == "system view"


def test_a_process_is_found_by_pid_name_runtime_or_argument() -> None:
    for text in ("", "4128", "SHOP", "go1.27", "8080"):
        assert is_wanted(SERVER, text)
    assert not is_wanted(SERVER, "agetty")


def test_what_the_target_calls_itself_cannot_steer_the_terminal() -> None:
    named = Surveyed(a_target(argv=("\x1b[2Jx\n[red]",)), 0, 0.0, ())
    assert list(table_lines(processes_table([named])))[1].endswith(r"\e[2Jx\n[red]")
