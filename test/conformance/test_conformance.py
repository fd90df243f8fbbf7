"""Runs every case of the table on the backend given by `--backend`."""

from __future__ import annotations

import pytest
from cases import all_cases
from conftest import refusal_for, refusals_of
from kit import Case


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test per case; a refused one must fail, so that a stale refusal is noticed."""
    backend = metafunc.config.getoption("--backend")
    refusals = refusals_of(backend)
    params = []
    for case in all_cases():
        marks = [pytest.mark.xdist_group(case.group)]
        reason = refusal_for(case.id, refusals)
        if reason:
            marks.append(pytest.mark.xfail(reason=reason, strict=backend != "interpreter"))
        params.append(pytest.param(case, id=case.id, marks=marks))
    metafunc.parametrize("case", params)


def test_case(case: Case, device: str) -> None:
    case.check(device)
