from dataclasses import replace

from syrupy.assertion import SnapshotAssertion

from memdash.model.missing import Missing
from tests.ui.conftest import LONG, Show, a_watch


async def test_a_site_with_its_stacks(show: Show, snapshot: SnapshotAssertion) -> None:
    async with show(None, 100, 40) as shown:
        await shown.press("j", "enter")
        assert shown.text == snapshot


async def test_a_long_name_is_shown_in_full(show: Show) -> None:
    async with show(None, 80, 24) as shown:
        await shown.press(*"jjjjjjj", "enter")
        joined = "".join(line.strip("│ ") for line in shown.lines)
        assert LONG.replace(" ", "") in joined.replace(" ", "")


async def test_a_site_that_is_gone_says_so(show: Show) -> None:
    async with show() as shown:
        watch = a_watch()
        shown.dashboard._shown = replace(watch, groups=(), sample=replace(watch.sample, sites=Missing("gone")))
        await shown.press("enter")
        assert "this site is no longer in the profile" in shown.text


async def test_the_first_of_very_many_stacks(show: Show) -> None:
    watch = a_watch(5)
    assert not isinstance(watch.sample.sites, Missing)
    site = watch.sample.sites.sites[0]
    many = tuple(
        site._replace(stack=(*site.stack, site.stack[-1]._replace(line=line)), usage=site.usage) for line in range(200)
    )
    profile = replace(watch.sample.sites, sites=many)
    async with show(replace(watch, sample=replace(watch.sample, sites=profile))) as shown:
        await shown.press("enter", "G")
        assert "and 150 smaller stacks" in shown.text
