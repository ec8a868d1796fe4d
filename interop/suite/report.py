"""What the runs say side by side: the document, one line a revision, and whether the bar holds. Nothing in the document
changes from run to run while the outcomes stay."""

from suite.official import NOT_RUN, REVISIONS, Outcome, Scenario, scenarios, version
from suite.ways import DIRECT, Way

#: By revision, way and scenario.
Outcomes = dict[tuple[str, str, str], Outcome]


def document(outcomes: Outcomes, ways: list[Way]) -> str:
    parts = [
        "# Conformance\n",
        f"`just conformance` wrote this: version {version()} of MCP's official conformance suite, run against a complete MCP "
        "server (`interop/fixture`), directly and through Causeway in front of that server as a target of each kind.\n",
        "A cell says how many checks of a scenario passed (✓), or how many of them failed (✗). Scenarios with a reason in "
        "brackets are run but do not count for their revision. Through Causeway nothing may fail that passes directly; over "
        "legacy stdio that goes for the scenarios that count: such a child process is told once what its clients can do, "
        "before there is any, so it does not see which of them knows an extension.\n",
        *(section(outcomes, revision, ways) for revision in REVISIONS),
    ]
    return "\n".join(parts)


def section(outcomes: Outcomes, revision: str, ways: list[Way]) -> str:
    rows = [["scenario", *(way.title for way in ways)], ["---", *("---" for _ in ways)]]
    for scenario in scenarios(revision):
        found = [outcomes.get((revision, way.name, scenario.name), NOT_RUN) for way in ways]
        rows.append([label(scenario), *(cell(outcome) for outcome in found)])
    rows.append(["**passed**", *(f"**{tally(outcomes, revision, way)}**" for way in ways)])
    rows.append(["checks passed", *(str(checks(outcomes, revision, way)) for way in ways)])
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"## {revision}\n\n{table}\n{notes(outcomes, revision, ways)}"


def notes(outcomes: Outcomes, revision: str, ways: list[Way]) -> str:
    """Which checks failed or warned, and where."""
    lines = []
    for scenario in scenarios(revision):
        for way in ways:
            found = outcomes.get((revision, way.name, scenario.name), NOT_RUN)
            ids = sorted({check for check, _ in found.problems})
            if ids:
                lines.append(f"- `{scenario.name}`, {way.title}: {', '.join(f'`{check}`' for check in ids)}")
    return "\nChecks that failed or warned:\n\n" + "\n".join(lines) + "\n" if lines else ""


def label(scenario: Scenario) -> str:
    return f"{scenario.name} ({scenario.unscored})" if scenario.unscored else scenario.name


def cell(outcome: Outcome) -> str:
    if not outcome.ran:
        return "not run"
    if outcome.passed + outcome.failed + outcome.warnings == 0:
        return "skipped"
    text = f"✓ {outcome.passed}" if outcome.good else f"✗ {outcome.failed} of {outcome.passed + outcome.failed}"
    return f"{text}, {outcome.warnings} warned" if outcome.warnings else text


def tally(outcomes: Outcomes, revision: str, way: Way) -> str:
    """How many scenarios passed, of how many."""
    listed = scenarios(revision)
    good = sum(outcomes.get((revision, way.name, scenario.name), NOT_RUN).good for scenario in listed)
    return f"{good}/{len(listed)}"


def checks(outcomes: Outcomes, revision: str, way: Way) -> int:
    return sum(found.passed for (where, through, _), found in outcomes.items() if (where, through) == (revision, way.name))


def lines(outcomes: Outcomes, ways: list[Way]) -> list[str]:
    """One line a revision."""
    each = {revision: ", ".join(f"{way.title} {tally(outcomes, revision, way)}" for way in ways) for revision in REVISIONS}
    return [f"{revision}: {text}" for revision, text in each.items()]


def missed(outcomes: Outcomes, ways: list[Way]) -> list[str]:
    """What keeps the bar from holding: failures through the gateway of what passes directly, and direct ones that count."""
    found = []
    for revision in REVISIONS:
        for scenario in scenarios(revision):
            good = {way: outcomes.get((revision, way.name, scenario.name), NOT_RUN).good for way in ways}
            direct = good.pop(DIRECT, True)
            if not direct and not scenario.unscored:
                found.append(f"{revision} {scenario.name}: fails directly")
            held_to = {way: held for way, held in good.items() if not (way.scored_only and scenario.unscored)}
            found += [f"{revision} {scenario.name}: fails {way.title}" for way, held in held_to.items() if direct and not held]
    return found
