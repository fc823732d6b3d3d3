"""What a view is built from stays as it was when that began, whatever a person does meanwhile."""

from __future__ import annotations

from dataclasses import replace

import pytest

from memdash.model.profile import Frame
from memdash.pprof.taken import TakenProfile
from memdash.ui.screens.profile import VIEWS
from memdash.ui.screens.profile.screen import ProfileScreen
from memdash.ui.screens.profile.study import Lens, Moment, Study
from tests.pprof.documents import of_stacks
from tests.ui.screens.profile.conftest import NOW, THEN, ShowView, a_study

DIFFERENCE = Lens(is_differential=True)


@pytest.mark.parametrize("view", VIEWS)
async def test_a_view_shows_what_it_was_begun_through(
    show_view: ShowView, view: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Where other work keeps the screen waiting, it comes up after that key: it would catch up, and rightly so.
    monkeypatch.setattr(ProfileScreen, "on_screen_resume", lambda _: None)
    async with show_view(view, a_study(NOW, THEN)) as shown:
        undisturbed = shown.text

    def take() -> TakenProfile:
        study.lens, study.subject = DIFFERENCE, Frame("main.old", "", 0)  # a key, pressed while this is made
        return TakenProfile(of_stacks(NOW))

    moment = a_study(NOW, THEN).moment
    study = Study(lambda: Moment(take, moment.take_before, moment.title, moment.at, moment.since))
    async with show_view(view, study) as shown:
        assert shown.text == undisturbed


def test_views_of_two_lenses_are_never_taken_for_each_other() -> None:
    study = a_study(NOW, THEN)
    now, change = study.sight(Lens(), None), study.sight(DIFFERENCE, None)
    study.lens = DIFFERENCE
    assert now.view().total == sum(NOW.values())
    assert change.view().total == sum(THEN.values())
    assert now.view() is not change.view()
    assert now.view() is study.sight(Lens(), None).view()


def test_whoever_still_looks_at_a_moment_keeps_it_when_the_newest_is_wanted() -> None:
    moments = iter([replace(a_study(NOW).moment, at="noon"), replace(a_study(THEN).moment, at="one")])
    study = Study(lambda: next(moments))
    sight = study.sight(study.lens, None)
    assert sight.view().total == sum(NOW.values())
    study.renew()
    assert (sight.caption.moment.at, sight.caption.sample_type) == ("noon", "inuse_space")
    assert sight.view().total == sum(NOW.values())
    assert (study.moment.at, study.sample_type, study.sample_types) == ("one", "", ())
