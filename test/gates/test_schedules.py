"""The simulated schedules (tools/schedules.py) and their page."""

from __future__ import annotations

from dataclasses import replace

import gen_schedules
import pages
import pytest
import schedules
from schedules import SOCKET, TWO_CORES, TWO_SOCKETS, Launch, Policy, simulate

EQUAL = Launch([50_000.0] * 4096)
RISING = Launch([1_000.0 * (i % 64) for i in range(4096)])
POLICIES = list(gen_schedules.POLICIES.values())


def test_page_is_fresh() -> None:
    assert not pages.stale(gen_schedules.generate()), "run `make docs`"


def test_rules_are_those_of_the_runtime() -> None:
    policy = gen_schedules.runtime_policy()
    assert policy.serial_ns > 0 and (policy.equal > 0 or policy.least_ns > 0)
    assert policy.wake == "all"


@pytest.mark.parametrize("policy", POLICIES, ids=list(gen_schedules.POLICIES))
@pytest.mark.parametrize("machine", [TWO_CORES, SOCKET, TWO_SOCKETS], ids=lambda m: m.name)
@pytest.mark.parametrize("launch", [EQUAL, RISING], ids=["equal", "rising"])
def test_no_schedule_beats_the_machine(
    launch: Launch, machine: schedules.Topology, policy: Policy
) -> None:
    outcome = simulate(launch, machine, policy)
    assert outcome.total_ns >= max(sum(launch.costs) / machine.cores, max(launch.costs))
    assert outcome.speedup > 0.4 * machine.cores
    assert simulate(launch, machine, policy) == outcome


def test_one_core_and_little_work_stay_on_the_caller() -> None:
    one = replace(TWO_CORES, cores=1)
    assert simulate(EQUAL, one).total_ns == sum(EQUAL.costs)
    assert simulate(Launch([1000.0] * 20), SOCKET).speedup == 1
    assert simulate(Launch([1e6]), SOCKET).speedup == 1
    assert simulate(Launch([]), SOCKET).total_ns == 0


def test_what_costs_time() -> None:
    awake = Policy(spinning=True)
    far = replace(SOCKET, line_ns=(100.0, 1_000.0, 1_000.0))
    many = Launch([500.0] * 8192)
    fine = Policy(least_ns=0.0, equal=128, spinning=True)
    assert simulate(many, far, fine).total_ns > simulate(many, SOCKET, fine).total_ns
    assert simulate(EQUAL, SOCKET).total_ns > simulate(EQUAL, SOCKET, awake).total_ns
    streaming = replace(EQUAL, share=1.0)
    least = sum(EQUAL.costs) * SOCKET.core_bytes / SOCKET.node_bytes
    assert simulate(streaming, SOCKET).total_ns >= least


def test_two_real_cores_agree() -> None:
    rows = gen_schedules.two_cores(gen_schedules.measured())
    for name, real, simulated in rows:
        assert abs(simulated / real - 1) < 0.4, name
