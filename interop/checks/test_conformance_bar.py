"""The judgement over runs of the official suite, with outcomes made up: what holds the bar and what does not."""

from suite.official import NOT_RUN, REVISIONS, Outcome, Scenario, scenarios
from suite.report import Outcomes, cell, lines, missed
from suite.ways import DIRECT, WAYS

STDIO = next(way for way in WAYS if way.name == "stdio")
COUNTED = scenarios("2026-07-28")[0].name
UNSCORED = next(scenario.name for scenario in scenarios("2026-07-28") if scenario.unscored)
FAILED = Outcome(passed=1, failed=2, problems=[("id", "why")])


def all_but(*changes: tuple[str, str, Outcome]) -> Outcomes:
    """All scenarios passed but these: way, scenario of 2026-07-28, outcome."""
    outcomes = {
        (revision, way.name, scenario.name): Outcome(passed=3)
        for revision in REVISIONS
        for way in WAYS
        for scenario in scenarios(revision)
    }
    return outcomes | {("2026-07-28", way, scenario): outcome for way, scenario, outcome in changes}


def test_every_scenario_is_known() -> None:
    assert Scenario("server-session-lifecycle", "added-after-release") in scenarios("2025-11-25")
    assert [len(scenarios(revision)) for revision in REVISIONS] == [33, 50]


def test_what_passes_directly_passes_through() -> None:
    assert missed(all_but(), WAYS) == []
    for outcome in (FAILED, NOT_RUN):
        assert missed(all_but((STDIO.name, COUNTED, outcome)), WAYS) == [f"2026-07-28 {COUNTED}: fails stdio"]


def test_what_counts_passes_directly() -> None:
    unscored = all_but((DIRECT.name, UNSCORED, FAILED), (STDIO.name, UNSCORED, FAILED))
    assert missed(unscored, WAYS) == []
    counted = all_but((DIRECT.name, COUNTED, FAILED), (STDIO.name, COUNTED, FAILED))
    assert missed(counted, WAYS) == [f"2026-07-28 {COUNTED}: fails directly"]


def test_each_revision_ends_in_one_line() -> None:
    outcomes = all_but((STDIO.name, COUNTED, FAILED))
    assert lines(outcomes, [DIRECT, STDIO]) == ["2025-11-25: direct 33/33, stdio 33/33", "2026-07-28: direct 50/50, stdio 49/50"]
    assert [cell(outcome) for outcome in (FAILED, NOT_RUN, Outcome(2, 0, 1))] == ["✗ 2 of 3", "not run", "✓ 2, 1 warned"]
