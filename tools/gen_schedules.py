"""Writes docs/schedules.md: how launches divide among 64 and 128 cores, simulated.

The costs of programs are measured ones (benchmarks/program_costs.py, committed); the rest is
arithmetic (tools/schedules.py), so the page does not depend on the machine that makes it.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pages
import schedules
import source_tree as tree
from schedules import Launch, Policy, Topology, simulate

PAGE = Path("docs/schedules.md")
COSTS = tree.ROOT / "benchmarks/results/program-costs-zen3.json"
MACHINES = (schedules.SOCKET, schedules.TWO_SOCKETS)


def runtime_policy() -> Policy:
    """The rules that the runtime has now, from its source."""
    sources = ("shares.h", "shares.cpp", "thread_pool.cpp", "launch_cost.h")
    source = "\n".join(tree.text(Path("python/src") / name) for name in sources)

    def constant(name: str) -> float:
        found = re.search(rf"{name} = ([\d']+)", source)
        if found is None:
            raise ValueError(
                f"the runtime divides launches by rules that are not simulated: {name}"
            )
        return float(found.group(1).replace("'", ""))

    return Policy(
        part=int(constant("kPartOfShare")),
        least_ns=constant("kLeastChunkNs"),
        serial_ns=constant("kSerialNs"),
        shares=int(constant("kMaxShares")),
    )


NOW = runtime_policy()
ONE = replace(NOW, counters="one")
POLICIES = {
    "as it is": NOW,
    "as it is, workers still awake": replace(NOW, spinning=True),
    "who is woken wakes two more": replace(NOW, wake="tree"),
    "a quarter of its share, 5 us or more": replace(NOW, part=4, least_ns=5_000.0),
    "half of its share, 20 us or more": replace(NOW, part=2, least_ns=20_000.0),
    "a share for each thread": replace(NOW, shares=1_000),
    "one counter, half of a thread's share": replace(ONE, part=2, least_ns=5_000.0),
    "a counter for each cache, the same": replace(ONE, counters="group"),
    "one counter, 8 equal chunks a thread": replace(ONE, equal=8),
    "one counter, one equal chunk a thread": replace(ONE, equal=1),
}


INTRODUCTION = f"""{pages.NOTICE}
# Schedules for 64 and 128 cores, simulated

How a launch divides among many cores depends on what its programs cost and on the machine: how
long a cache line takes from core to core, how long a thread takes to wake, which cores share a
cache and a memory. No machine with 128 cores was at hand; this page puts measured costs of programs
together with the times of such a machine in a small deterministic simulation,
[tools/schedules.py](../tools/schedules.py). It stands in `tools/` since nothing at run time uses
it; `tools/gen_schedules.py` writes this page, and a gate checks that it is up to date.

"""


def measured() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(COSTS.read_text())
    return found


def launch_of(case: dict[str, Any], machine: Topology, repeats: int | None = None) -> Launch:
    """The launch whose programs were measured; `repeats` times as many of them."""
    often = case["repeats"] if repeats is None else repeats
    costs = [cost for cost in case["ns"] for _ in range(case["step"])] * often
    mean = sum(case["ns"]) / len(case["ns"])
    return Launch(costs, min(case["bytes"] / mean / machine.core_bytes, 1.0))


def two_cores(found: dict[str, Any]) -> list[tuple[str, float, float]]:
    """For each case: how long two real cores take and two simulated ones, in microseconds.

    The costs are scaled to what one real core takes for the launch: a program measured alone lacks
    the neighbours that it shares data with.
    """
    rows = []
    for name, case in found["cases"].items():
        launch = launch_of(case, schedules.TWO_CORES, repeats=1)
        scale = case["one_thread_ns"] / sum(launch.costs)
        scaled = replace(launch, costs=[cost * scale for cost in launch.costs])
        # Launches that follow each other at once find the worker awake.
        got = simulate(scaled, schedules.TWO_CORES, replace(NOW, spinning=True)).total_ns
        rows.append((name, case["two_threads_ns"] / 1e3, got / 1e3))
    return rows


def table(header: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(header) + " |", "| --- |" + " ---: |" * (len(header) - 1)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def speedups(found: dict[str, Any], machine: Topology) -> str:
    names = list(found["cases"])
    rows = []
    for label, policy in POLICIES.items():
        row = [label]
        for name in names:
            outcome = simulate(launch_of(found["cases"][name], machine), machine, policy)
            row.append(f"{outcome.speedup:.1f}")
        rows.append(row)
    efficiency = ["efficiency, as it is"]
    for name in names:
        outcome = simulate(launch_of(found["cases"][name], machine), machine, NOW)
        efficiency.append(f"{outcome.efficiency:.0%}")
    return table([machine.name, *names], [*rows, efficiency])


def times(found: dict[str, Any], machine: Topology, policy: Policy) -> list[float]:
    """Of each case, its time under `policy` as a part of what it takes as it is."""
    ratios = []
    for case in found["cases"].values():
        launch = launch_of(case, machine)
        ratios.append(
            simulate(launch, machine, policy).total_ns / simulate(launch, machine, NOW).total_ns
        )
    return ratios


def what_goes_in(found: dict[str, Any]) -> str:
    costs = table(
        ["launch", "programs", "one core", "a program", "the longest"],
        [
            [
                name,
                f"{len(case['ns']) * case['step'] * case['repeats']:,}",
                f"{sum(case['ns']) * case['step'] * case['repeats'] / 1e6:.2f} ms",
                f"{sum(case['ns']) / len(case['ns']) / 1e3:.2f} us",
                f"{max(case['ns']) / 1e3:.2f} us",
            ]
            for name, case in found["cases"].items()
        ],
    )
    t = schedules.TWO_SOCKETS
    near, socket, far = t.line_ns
    return f"""## What goes in

Programs, measured one after the other on one core ({found["cpu"]},
`python -m benchmarks.program_costs`):

{costs}

The machine: {near:.0f} ns for a line between cores that share a cache, {socket:.0f} within a
socket, {far:.0f} between sockets; a thread runs {t.wake_ns / 1e3:.0f} us after it is woken, the
call that wakes it takes {t.wake_call_ns / 1e3:.0f} us, and where those who were woken queue for one
lock each takes {t.handoff_ns / 1e3:.0f} us; {t.core_bytes:.0f} GB/s of memory for a core alone,
{t.node_bytes:.0f} GB/s for a socket. These are typical of published measurements of server
processors with 8 cores to a cache, not of one machine. What is left out: the interpreter, other
processes, frequencies that fall with the number of busy cores, and sharing of data between
neighbours beyond what the measured costs hold.

The rules are those of [shares.h](../python/src/shares.h): each thread has a share of contiguous
ids, or neighbours have one together where there would be more than {NOW.shares}; a claim takes what
is left of it divided by {NOW.part} for each of its threads, but at least {NOW.least_ns / 1e3:.0f} us
of work; who has nothing left takes as much from the end of another's. All who sleep are woken by
one call; below {NOW.serial_ns / 1e3:.0f} us nobody is woken.

"""


def against_real_cores(found: dict[str, Any]) -> str:
    compared = two_cores(found)
    check = table(
        ["launch", "two cores", "simulated", "error"],
        [[n, f"{a:.0f} us", f"{b:.0f} us", f"{b / a - 1:+.0%}"] for n, a, b in compared],
    )
    return f"""## Against real cores

On one core the simulation is the sum of the costs. On two, the fastest of many launches on a
machine that others used too, which programs that stream feel most:

{check}

## Speed-up over one core

{speedups(found, MACHINES[0])}

{speedups(found, MACHINES[1])}

"""


def what_follows(found: dict[str, Any]) -> str:
    woken = times(found, schedules.TWO_SOCKETS, POLICIES["who is woken wakes two more"])
    one = times(found, schedules.TWO_SOCKETS, POLICIES["one counter, half of a thread's share"])
    all_shares = times(found, schedules.TWO_SOCKETS, POLICIES["a share for each thread"])
    last = found["cases"]["small vector add"]
    short = sum(last["ns"]) * last["step"] / 1e3
    tree_gain = max(1 / ratio for ratio in woken) - 1
    return f"""## What follows

- **Waking.** The caller wakes 127 threads before it begins, and they queue for one lock. As a tree
  that would be up to {tree_gain:.0%} faster on 128 cores, for launches that find everybody asleep.
  It was written and tried: on two busy cores, the only ones at hand, launches got slower, so it
  is not in the runtime; a machine with many cores has to decide.
- **Claims.** Claims that get smaller are about as good as equal chunks where programs are equal,
  and better where they are not. One chunk a thread leaves cores idle in the end.
- **Shares.** One counter for all would change the time on 128 cores by {min(one) - 1:+.0%} to
  {max(one) - 1:+.0%}: shares are for what is not simulated, that a core finds its data in its
  caches. A share for each thread would change it by up to {max(all_shares) - 1:+.0%}: who has
  nothing left looks at all of them.
- **Streaming kernels** are bound by the socket's memory, not by the schedule.
- **Short launches** (the last column is {short:.0f} us of work) are bound by waking. Workers that
  are still awake from the launch before are worth far more than any rule.
"""


def generate() -> pages.Pages:
    found = measured()
    parts = [what_goes_in(found), against_real_cores(found), what_follows(found)]
    return {PAGE: INTRODUCTION + "".join(parts)}


if __name__ == "__main__":
    pages.main(generate)
