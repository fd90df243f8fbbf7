"""Runs every case of the table on the backend given by `--backend`."""

from __future__ import annotations

import pytest
from cases import all_cases, core_cases
from isolation import outcomes
from kit import Case
from place import Place
from refusals import refusal_for, refusals_of


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test per case; a refused one must fail, so that a stale refusal is noticed."""
    backend = metafunc.config.getoption("--backend")
    refusals = refusals_of(backend)
    step, groups = metafunc.config.getoption("--sample"), {}
    params = []
    for case in core_cases() if metafunc.config.getoption("--core") else all_cases():
        if groups.setdefault(case.group, len(groups)) % step:
            continue
        marks = [pytest.mark.xdist_group(case.group)]
        reason = refusal_for(case.id, refusals)
        if reason:
            marks.append(pytest.mark.xfail(reason=reason, strict=backend != "interpreter"))
        params.append(pytest.param(case, id=case.id, marks=marks))
    metafunc.parametrize("case", params)


def expect_no_refusal(text: str) -> None:
    """Ends a case as refused where the backend names what it does not compile."""
    if "SG0714" in text:
        reason = next(line for line in text.splitlines() if "SG0714" in line)
        pytest.xfail(reason.partition("[SG0714")[0].strip())


@pytest.fixture(scope="session")
def known() -> dict[str, str]:
    """Outcomes of groups that have run in a child."""
    return {}


def test_case(
    case: Case, place: Place, request: pytest.FixtureRequest, known: dict[str, str]
) -> None:
    if not request.config.getoption("--isolate"):
        try:
            place.check(case)
        except Exception as failure:
            expect_no_refusal(str(failure))
            raise
        return
    if case.id not in known:
        selected = [item.callspec.params["case"] for item in request.session.items]
        known.update(outcomes([c for c in selected if c.group == case.group], place.check))
    if known[case.id]:
        expect_no_refusal(known[case.id])
        pytest.fail(known[case.id], pytrace=False)
