"""How results are shown: one line a check, `ok - name` or `not ok - name: why`, and the counts alone on the last line."""

import re

import pytest

counts = {"passed": 0, "failed": 0}


def name_of(nodeid: str) -> str:
    """`checks/test_dev.py::test_lists_all[python]` as `dev: lists all (python)`."""
    path, _, test = nodeid.partition("::")
    where = path.rsplit("/", 1)[-1].removeprefix("test_").removesuffix(".py")
    name, _, parameters = test.removeprefix("test_").partition("[")
    text = f"{where}: {name}".replace("_", " ")
    return f"{text} ({parameters.removesuffix(']')})" if parameters else text


def reason(report: pytest.TestReport) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    text = crash.message if crash else str(report.longrepr)
    # The whole traceback follows at the end; tokens appear in neither.
    return re.sub(r"eyJ[\w.-]+", "eyJ...", text.splitlines()[0] if text else "?")


@pytest.hookimpl(tryfirst=True)
def pytest_report_teststatus(report: pytest.TestReport):
    if report.failed:
        line = f"not ok - {name_of(report.nodeid)}: {reason(report)}\n"
    elif report.when == "call":
        line = f"ok - {name_of(report.nodeid)}\n"
    else:
        return None
    return report.outcome, line, line


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    # A check that is skipped was not made, and one whose peers failed to start or end did not pass.
    if report.failed or report.skipped:
        counts["failed"] += 1
    elif report.when == "call":
        counts["passed"] += 1


def pytest_collectreport(report: pytest.CollectReport) -> None:
    counts["failed"] += report.failed


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    print(f"{counts['passed']} passed, {counts['failed']} failed", flush=True)
