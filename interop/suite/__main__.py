"""Runs the suite on every way, two at a time, and reports. Arguments: the names of ways; all, and the document, without."""

import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from harness.gateway import ROOT
from suite import official, report
from suite.ways import WAYS, Way, opened

DOCUMENT = ROOT / "docs" / "conformance.md"


def main(names: list[str]) -> int:
    unknown = set(names) - {way.name for way in WAYS}
    if unknown:
        print(f"there is no way `{unknown.pop()}`; name some of {', '.join(way.name for way in WAYS)}", file=sys.stderr)
        return 64
    ways = [way for way in WAYS if way.name in names] or WAYS
    logs = Path(tempfile.mkdtemp(prefix="causeway-conformance-"))
    # The suite waits most of the time; more than two runs at once make its own time limits flaky on two cores.
    with ThreadPoolExecutor(2) as pool:
        outcomes = {}
        for found in pool.map(lambda way: run(way, logs / way.name), ways):
            outcomes |= found
    show(outcomes, ways, logs)
    if not names:
        DOCUMENT.write_text(report.document(outcomes, ways))
        print(f"wrote {DOCUMENT.relative_to(ROOT)}")
    missed = report.missed(outcomes, ways)
    if missed:
        print(f"logs are in {logs}")
    else:
        shutil.rmtree(logs)
    print("\n".join(report.lines(outcomes, ways)))
    return 1 if missed else 0


def run(way: Way, logs: Path) -> report.Outcomes:
    """Both revisions on one way, one after the other against the same processes."""
    logs.mkdir()
    outcomes = {}
    try:
        with opened(way, logs) as url:
            for revision in official.REVISIONS:
                for name, outcome in official.run(url, revision, logs / revision).items():
                    outcomes[revision, way.name, name] = outcome
    except AssertionError as failed:
        (logs / "failed.log").write_text(str(failed))
    return outcomes


def show(outcomes: report.Outcomes, ways: list[Way], logs: Path) -> None:
    """What failed, with what the checks said, and what the processes of that way said last."""
    for way in ways:
        bad = {key: found for key, found in outcomes.items() if key[1] == way.name and not found.good}
        for (revision, _, name), found in sorted(bad.items()):
            print(f"not ok - {revision} {way.title}: {name}")
            for check, message in found.problems:
                print(f"    {check}: {' '.join(message.split())[:300]}")
        if bad or not any(key[1] == way.name for key in outcomes):
            for log in sorted((logs / way.name).glob("*.log")):
                print(f"--- {way.title}, {log.name}")
                print("\n".join(log.read_text().splitlines()[-15:]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
