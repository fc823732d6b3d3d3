"""What flags and the file say of alerts becomes rules, and what makes no sense is told with where it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from memdash.analysis.rules import Threshold, parse_rule
from memdash.commands.limits import Alerting
from memdash.config import SETTINGS, AlertText, Limit, MostGrowth
from memdash.config_file import load_file
from memdash.errors import UsageError
from memdash.model.finding import Severity
from memdash.units import MIB


def named(name: str, *alerts: AlertText) -> Threshold:
    (rule,) = (rule for rule in Alerting(alert=alerts).rules if rule.name == name)
    assert isinstance(rule, Threshold)
    return rule


def from_file(tmp_path: Path, text: str) -> tuple[AlertText, ...]:
    path = tmp_path / "config.toml"
    path.write_text(text)
    alerts = load_file(path)["alert"]
    assert isinstance(alerts, list)
    return tuple(SETTINGS["alert"].value(alert) if isinstance(alert, str) else alert for alert in alerts)  # type: ignore[misc]


def test_limits_and_growths_are_rules_of_their_condition() -> None:
    limits = (Limit("heapalloc", "512MiB"), Limit("HeapAlloc", "1GiB"), Limit("HeapAlloc", "512MiB"))
    growths = (MostGrowth(64 * MIB, False), MostGrowth(MIB / 60, True))
    names = [rule.name for rule in Alerting(max=limits, max_growth=growths).rules if isinstance(rule, Threshold)]
    assert names[-4:] == [
        "heap.live_bytes growth > 64MiB",
        "heap.live_bytes growth > 1MiB/min",
        "HeapAlloc > 512MiB",
        "HeapAlloc > 1GiB",
    ]


def test_a_table_of_the_file_says_what_a_flag_does(tmp_path: Path) -> None:
    (alert,) = from_file(
        tmp_path,
        '[[alert]]\nname = "heap"\nwhen = "HeapAlloc > 512MiB"\nfor = "30s"\nclear = "480MiB"\ncooldown = 300\n'
        'severity = "critical"\n',
    )
    assert named("heap", alert) == parse_rule("HeapAlloc > 512MiB for 30s clear 480MiB cooldown 5m critical", "heap")


def test_the_file_may_give_texts(tmp_path: Path) -> None:
    alerts = from_file(tmp_path, 'alert = ["HeapAlloc > 5MiB", {when = "tasks growth > 9", over = "1h"}]')
    names = [rule.name for rule in Alerting(alert=alerts).rules]
    assert names[-2:] == ["HeapAlloc > 5MiB", "tasks.total growth > 9 over 1h"]
    assert from_file(tmp_path, 'alert = "HeapAlloc > 5MiB"') == (AlertText("HeapAlloc > 5MiB"),)


def test_an_alert_takes_the_place_of_a_rule_that_always_holds() -> None:
    mine = AlertText("gc.pause > 1s info", "gc pause")
    assert named("gc pause", mine).severity is Severity.INFO


def test_two_rules_of_one_name_are_refused() -> None:
    with pytest.raises(UsageError, match="'heap' is another rule's name"):
        _ = Alerting(alert=(AlertText("HeapAlloc > 5", "heap"), AlertText("HeapAlloc > 6", "heap"))).rules
    for name in ("heap growth", "memdash"):
        with pytest.raises(UsageError, match="is another rule's name"):
            _ = Alerting(alert=(AlertText("HeapAlloc > 5", name),)).rules
    same = AlertText("HeapAlloc > 5", "heap")
    assert named("heap", same, same) == parse_rule("HeapAlloc > 5", "heap")


@pytest.mark.parametrize(
    ("text", "what", "hint"),
    [
        (
            '[[alert]]\nwhen = "HeapAlloc > 1"\nserverity = "info"',
            "alert 1: there is no key 'serverity'",
            "did you mean severity?",
        ),
        ("[[alert]]\nzzzz = 1", "alert 1: there is no key 'zzzz'", "the keys are when, name, for"),
        ('[[alert]]\nwhen = "HeapAlloc > 1"\nname = " "', "alert 1: its name is empty", "leave it away"),
        ('[[alert]]\nname = "x"', "alert 1: it does not say when", "write it like when ="),
        ('[[alert]]\nwhen = ["x"]', "alert 1: when is neither a text nor a number", "write it like when ="),
        ("[[alert]]\nwhen = true", "alert 1: when is neither a text nor a number", "write it like when ="),
        ("alert = [1]", "alert: ", "--alert"),
        (
            '[[alert]]\nwhen = "HeapAlloc > 1"\n[[alert]]\nwhen = "HeapAloc > 1"',
            "alert 2: 'HeapAloc > 1', character 1: there is no metric 'HeapAloc'",
            "did you mean HeapAlloc?",
        ),
        (
            '[[alert]]\nwhen = "HeapAlloc > 1"\nfor = "soon"',
            "alert 1: 'for soon', character 5: 'soon' is not a duration",
            "write it like",
        ),
        (
            '[[alert]]\nwhen = "HeapAlloc > 1 critical"\nseverity = "info"',
            "alert 1: 'info', character 1: severity is said twice",
            "it stands in 'HeapAlloc > 1 critical' as well",
        ),
        (
            '[[alert]]\nwhen = "HeapAlloc > 1"\nseverity = "critcal"',
            "alert 1: 'critcal', character 1: 'critcal' means nothing here",
            "did you mean critical?",
        ),
    ],
)
def test_what_makes_no_sense_in_the_file_is_told_with_its_place(
    tmp_path: Path, text: str, what: str, hint: str
) -> None:
    with pytest.raises(UsageError) as refused:
        _ = Alerting(alert=from_file(tmp_path, text)).rules
    assert f"{tmp_path / 'config.toml'}: {what}" in refused.value.what
    assert hint in refused.value.hint


def test_a_rule_that_is_called_what_its_condition_is_may_be_written_in_any_way() -> None:
    for name in ("RSS > 1GiB", "rss > 1024MiB", "system.rss_bytes>1GiB"):
        assert Alerting(max=(Limit("rss", "1GiB"),), mute=(name,)).muted == ("RSS > 1GiB",)
    with pytest.raises(UsageError, match="there is no rule 'rss > 2GiB'"):
        _ = Alerting(max=(Limit("rss", "1GiB"),), mute=("rss > 2GiB",)).muted


@pytest.mark.parametrize(("metric", "guess"), [("RSSS", "RSS"), ("goroutins", "goroutines"), ("HeapAloc", "HeapAlloc")])
def test_a_metric_is_told_by_the_name_that_people_know(metric: str, guess: str) -> None:
    for alerting in (Alerting(max=(Limit(metric, "1"),)), Alerting(alert=(AlertText(f"{metric} > 1"),))):
        with pytest.raises(UsageError, match=f"there is no metric '{metric}'") as refused:
            _ = alerting.rules
        assert refused.value.hint == f"did you mean {guess}?"
    with pytest.raises(UsageError) as refused:
        _ = Alerting(max=(Limit("foo", "1"),)).rules
    assert ", RSS, VMS, " in refused.value.hint
    with pytest.raises(UsageError, match="--max: RSS: 'much' is not a size"):
        _ = Alerting(max=(Limit("rss", "much"),)).rules


def test_what_is_muted_is_a_rule() -> None:
    assert Alerting(mute=("gc pause", "heap growth")).muted == ("gc pause", "heap growth")
    with pytest.raises(UsageError) as refused:
        _ = Alerting(mute=("gc pausse",)).muted
    assert (refused.value.what, refused.value.hint) == (
        "--mute: there is no rule 'gc pausse'",
        "did you mean gc pause?",
    )
