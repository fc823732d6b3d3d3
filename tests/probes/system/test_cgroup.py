from collections.abc import Iterator
from pathlib import Path

import pytest

from memdash.model.missing import Maybe, Missing
from memdash.model.system import Cgroup, Pressure
from memdash.probes.system.cgroup import CgroupReader
from memdash.process.cgroup import MemoryCgroup, locate

from .conftest import PID, CgroupTree, fill

V2 = {
    "memory.current": "1000",
    "memory.max": "max",
    "memory.stat": "anon 600\nfile 400\ninactive_file 250\nactive_file 150",
    "memory.events": "low 0\nhigh 0\nmax 7\noom 2\noom_kill 1\noom_group_kill 0",
    "memory.pressure": "some avg10=1.50 avg60=0.00 avg300=0.00 total=2500000\n"
    "full avg10=0.25 avg60=0.00 avg300=0.00 total=500000",
}
V1 = {
    "memory.usage_in_bytes": "1000",
    "memory.limit_in_bytes": "9223372036854771712",
    "memory.failcnt": "4",
    "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 3",
    "memory.stat": "cache 400\nhierarchical_memory_limit 9223372036854771712\ninactive_file 9\ntotal_inactive_file 250",
}
HOST = "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"


class Read:
    """A reader over the tree, closed with the test."""

    def __init__(self, tree: CgroupTree) -> None:
        (tree.proc / "pressure").write_text(HOST)
        self._reader = CgroupReader(PID, tree.proc, tree.proc / "pressure")

    def __call__(self) -> Maybe[Cgroup]:
        return self._reader.read()[0]

    def cgroup(self) -> Cgroup:
        cgroup = self()
        assert isinstance(cgroup, Cgroup), cgroup
        return cgroup

    def pressure(self) -> Maybe[Pressure]:
        return self._reader.read()[1]

    def close(self) -> None:
        self._reader.close()
        self._reader.close()


@pytest.fixture
def read(tree: CgroupTree) -> Iterator[Read]:
    reader = Read(tree)
    yield reader
    reader.close()


def no_limit(cgroup: Cgroup) -> bool:
    return isinstance(cgroup.limit_bytes, Missing) and cgroup.limit_bytes.why == "no memory limit is set"


def test_version_2(tree: CgroupTree, read: Read) -> None:
    fill(tree.mount(2) / "app.slice/api.service", V2)
    tree.member_of("0::/app.slice/api.service")
    cgroup = read.cgroup()
    assert (cgroup.version, cgroup.path) == (2, "/app.slice/api.service")
    assert (cgroup.usage_bytes, cgroup.inactive_file_bytes) == (1000, 250)
    assert (cgroup.limit_hits, cgroup.oom_kills) == (7, 1)
    assert no_limit(cgroup)
    assert read.pressure() == Pressure(
        scope="cgroup", some_avg10_percent=1.5, full_avg10_percent=0.25, some_total_s=2.5, full_total_s=0.5
    )


@pytest.mark.parametrize(
    ("own", "middle", "outer", "smallest"),
    [("max", "max", "4000", 4000), ("2000", "max", "4000", 2000), ("9000", "3000", "4000", 3000), ("0", "1", "2", 0)],
)
def test_the_smallest_limit_on_the_way_up_holds(
    tree: CgroupTree, read: Read, own: str, middle: str, outer: str, smallest: int
) -> None:
    root = tree.mount(2)
    fill(root / "a/b/c", V2 | {"memory.max": own})
    fill(root / "a/b", V2 | {"memory.max": middle})
    fill(root / "a", V2 | {"memory.max": outer})
    tree.member_of("0::/a/b/c")
    assert read.cgroup().limit_bytes == smallest


def test_all_that_is_in_the_cgroup_of_the_limit_counts_against_it(tree: CgroupTree, read: Read) -> None:
    root = tree.mount(2)
    fill(root / "a/b", V2)
    outer = fill(root / "a", V2 | {"memory.max": "4000", "memory.current": "3700"})
    tree.member_of("0::/a/b")
    cgroup = read.cgroup()
    assert (cgroup.usage_bytes, cgroup.used_above_bytes) == (1000, 3700 - 250)
    assert cgroup.used_bytes == 3450
    assert cgroup.used_ratio == 3450 / 4000
    fill(outer, {"memory.current": "200"})
    assert read.cgroup().used_bytes == 0
    fill(root / "a/b", {"memory.max": "4000"})
    own = read.cgroup()
    assert isinstance(own.used_above_bytes, Missing)
    assert own.used_bytes == 750


def test_what_the_cgroup_of_the_limit_does_not_tell_is_not_guessed(tree: CgroupTree, read: Read) -> None:
    root = tree.mount(2)
    fill(root / "a/b", V2)
    fill(root / "a", {"memory.max": "4000"})
    tree.member_of("0::/a/b")
    assert isinstance(read.cgroup().used_bytes, Missing)
    assert isinstance(read.cgroup().used_ratio, Missing)


def test_without_the_controller_the_nearest_cgroup_above_is_charged(tree: CgroupTree, read: Read) -> None:
    root = tree.mount(2)
    fill(root / "a", V2 | {"memory.max": "5000"})
    fill(root / "a/b/c", {"cgroup.procs": str(PID)})
    tree.member_of("0::/a/b/c")
    cgroup = read.cgroup()
    assert (cgroup.path, cgroup.limit_bytes) == ("/a", 5000)


def test_the_root_of_the_host_accounts_nothing(tree: CgroupTree, read: Read) -> None:
    fill(tree.mount(2), {"memory.stat": "anon 1"})
    tree.member_of("0::/")
    assert read() == Missing("the process is in no cgroup that accounts memory")
    assert read.pressure() == Pressure(
        scope="host", some_avg10_percent=0, full_avg10_percent=0, some_total_s=0, full_total_s=0
    )


def test_in_a_container_its_own_cgroup_is_the_root(tree: CgroupTree, read: Read) -> None:
    fill(tree.mount(2), V2 | {"memory.max": "7000"})
    tree.member_of("0::/")
    assert read.cgroup().limit_bytes == 7000


def test_a_container_that_mounts_only_its_part_of_the_hierarchy(tree: CgroupTree, read: Read) -> None:
    fill(tree.mount(1, "rw,memory", root="/docker/abc"), V1)
    tree.member_of("4:memory:/docker/abc", "0::/")
    cgroup = read.cgroup()
    assert (cgroup.version, cgroup.path, cgroup.usage_bytes) == (1, "/docker/abc", 1000)


@pytest.mark.parametrize("path", ["/docker/other", "/../sibling"])
def test_a_cgroup_outside_what_is_mounted_is_not_guessed(tree: CgroupTree, read: Read, path: str) -> None:
    fill(tree.mount(2, root="/docker/abc"), V2)
    tree.member_of(f"0::{path}")
    cgroup = read()
    assert isinstance(cgroup, Missing)
    assert cgroup.why == "the cgroup of this process is not visible from here"
    assert cgroup.hint


def test_version_1(tree: CgroupTree, read: Read) -> None:
    fill(tree.mount(1, "rw,memory") / "web", V1)
    tree.member_of("5:cpu,cpuacct:/elsewhere", "4:memory:/web")
    cgroup = read.cgroup()
    assert (cgroup.version, cgroup.path) == (1, "/web")
    assert (cgroup.usage_bytes, cgroup.inactive_file_bytes) == (1000, 250)
    assert (cgroup.limit_hits, cgroup.oom_kills) == (4, 3)
    assert no_limit(cgroup)
    assert getattr(read.pressure(), "scope", "") == "host"


def test_version_1_sums_the_limits_above_in_one_figure(tree: CgroupTree, read: Read) -> None:
    stat = "hierarchical_memory_limit 4096\ntotal_inactive_file 0"
    fill(tree.mount(1, "rw,memory") / "web", V1 | {"memory.stat": stat})
    tree.member_of("4:memory:/web")
    assert read.cgroup().limit_bytes == 4096


def test_hybrid_the_controller_lives_in_version_1(tree: CgroupTree, read: Read) -> None:
    fill(tree.mount(1, "rw,cpu") / "web", {})
    fill(tree.mount(1, "rw,memory") / "web", V1)
    fill(tree.mount(2) / "web", {"cgroup.procs": ""})
    tree.member_of("4:memory:/web", "1:name=systemd:/web", "0::/web")
    assert read.cgroup().version == 1


def test_each_figure_is_missing_on_its_own(tree: CgroupTree, read: Read) -> None:
    folder = fill(tree.mount(2) / "a", V2)
    (folder / "memory.events").unlink()
    (folder / "memory.pressure").unlink()
    tree.member_of("0::/a")
    cgroup = read.cgroup()
    assert cgroup.usage_bytes == 1000
    assert isinstance(cgroup.limit_hits, Missing)
    assert isinstance(cgroup.oom_kills, Missing)
    assert getattr(read.pressure(), "scope", "") == "host"


def test_no_cgroups_at_all(tree: CgroupTree, read: Read) -> None:
    assert isinstance(read(), Missing)
    tree.member_of("2:cpu:/")
    assert isinstance(locate(PID, tree.proc), Missing)


def test_a_process_that_moves_is_followed(tree: CgroupTree, read: Read) -> None:
    root = tree.mount(2)
    fill(root / "a", V2)
    fill(root / "b", V2 | {"memory.current": "2000"})
    tree.member_of("0::/a")
    assert read.cgroup().usage_bytes == 1000
    tree.member_of("0::/b")
    assert read.cgroup().usage_bytes == 2000
    assert read.cgroup().path == "/b"


def test_figures_are_read_anew_each_time(tree: CgroupTree, read: Read) -> None:
    folder = fill(tree.mount(2) / "a", V2)
    tree.member_of("0::/a")
    assert read.cgroup().usage_bytes == 1000
    (folder / "memory.current").write_text("1234\n")
    assert read.cgroup().usage_bytes == 1234


def test_oom_kills_are_counted_where_each_version_keeps_them(tree: CgroupTree) -> None:
    fill(tree.mount(2) / "a", V2)
    tree.member_of("0::/a")
    where = locate(PID, tree.proc)
    assert isinstance(where, MemoryCgroup)
    assert where.oom_kills() == 1
    one = MemoryCgroup(1, "/b", (fill(tree.mount(1, "memory") / "b", V1),))
    assert one.oom_kills() == 3
    assert isinstance(MemoryCgroup(2, "/gone", (Path("/nonexistent"),)).oom_kills(), Missing)
