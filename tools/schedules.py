"""A simulation of how one launch is divided among the cores of a machine that is not here.

It stands in tools/ because nothing at run time uses it: it answers what the runtime's rules
(python/src/shares.h) would do with 64 or 128 cores, and what other rules would do. The
simulation is deterministic: workers are events in time, and what they contend for, the cache line
of the counter that chunks are claimed from, is one resource that one core has at a time.

A program costs what it was measured to cost here on one core (benchmarks/program_costs.py). A
program that streams is slower where its node's memory has less bandwidth for a core than a core
can use.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Topology:
    """A machine. Times in ns, bandwidths in bytes per ns.

    Attributes:
        cores: number of cores, each with one thread.
        group: cores that share a last-level cache.
        node: cores of a NUMA node (here: of a socket).
        line_ns: time that a cache line takes to move between cores: within a group, within a
            node, between nodes.
        wake_ns: from the call that wakes a thread until it runs.
        wake_call_ns: time that the call takes the one who wakes, for each thread.
        handoff_ns: from one woken thread to the next where all want the same lock.
        core_bytes, node_bytes: memory bandwidth of a core alone, and of a node.
    """

    name: str
    cores: int
    group: int
    node: int
    line_ns: tuple[float, float, float] = (25.0, 105.0, 200.0)
    wake_ns: float = 5_000.0
    wake_call_ns: float = 1_000.0
    handoff_ns: float = 2_000.0
    core_bytes: float = 20.0
    node_bytes: float = 150.0

    def move_ns(self, first: int, second: int) -> float:
        """Time for a line that `first` wrote to reach `second`."""
        if first == second:
            return 2.0
        if first // self.group == second // self.group:
            return self.line_ns[0]
        return self.line_ns[1 if first // self.node == second // self.node else 2]

    def slowdown(self, threads: int, share: float) -> float:
        """How much longer a program takes where `threads` cores stream, of which it needs
        `share` of a core's bandwidth."""
        on_node = min(threads, self.node)
        fair = min(self.core_bytes, self.node_bytes / on_node)
        return max(1.0, share * self.core_bytes / fair)


@dataclass(frozen=True)
class Policy:
    """The runtime's rules; the defaults are those of python/src/shares.cpp.

    Attributes:
        part: a claim takes a thread's share of the programs that are left, divided by this;
        least_ns: but no less than this much work.
        equal: if not 0, equal chunks instead, this many for each thread.
        counters: where threads claim from. "shares": a thread, or some neighbours, have a share of
            the ids that is fixed at first; who has nothing left takes from the end of another's.
            "one": all from one counter; or one for each "group" or "node", whose share of the ids
            is fixed at first; who finds nothing left claims from the next.
        shares: the most shares.
        wake: "all" in turn by the caller, who then queue for one lock, or "tree": each thread
            that is woken wakes two more.
        serial_ns: a launch that is expected to take less stays on the caller.
        spinning: workers still look for work because a launch has ended just before.
    """

    part: int = 2
    least_ns: float = 5_000.0
    equal: int = 0
    counters: str = "shares"
    shares: int = 16
    wake: str = "all"
    serial_ns: float = 20_000.0
    spinning: bool = False


@dataclass(frozen=True)
class Launch:
    """The programs of a launch: cost of each in ns, and the share of a core's bandwidth."""

    costs: Sequence[float]
    share: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """What a launch took; `serial_ns` is what it takes one core."""

    total_ns: float
    serial_ns: float
    threads: int

    @property
    def speedup(self) -> float:
        return self.serial_ns / self.total_ns

    @property
    def efficiency(self) -> float:
        return self.speedup / self.threads


class Line:
    """A cache line that cores change in turn."""

    def __init__(self, topology: Topology) -> None:
        self.topology = topology
        self.owner = 0
        self.free = 0.0

    def change(self, core: int, now: float) -> float:
        """When `core`, which wants it from `now` on, has changed it."""
        self.free = max(self.free, now) + self.topology.move_ns(self.owner, core)
        self.owner = core
        return self.free


def wake_times(threads: int, topology: Topology, policy: Policy) -> list[float]:
    """When each thread looks for a chunk; the caller is the first."""
    if policy.spinning:
        return [topology.move_ns(0, core) for core in range(threads)]
    if policy.wake == "all":
        caller = (threads - 1) * topology.wake_call_ns
        handoffs = [topology.wake_ns + topology.handoff_ns * i for i in range(threads - 1)]
        return [caller, *handoffs]
    times = [0.0]
    for core in range(1, threads):
        waker = (core - 1) // 2
        second = core % 2 == 0
        times.append(times[waker] + topology.wake_ns + topology.wake_call_ns * second)
    # Who wakes others begins afterwards.
    calls = [sum(child < threads for child in (2 * i + 1, 2 * i + 2)) for i in range(threads)]
    return [time + calls[i] * topology.wake_call_ns for i, time in enumerate(times)]


class Counter:
    """Where the threads of one place claim programs: `first` to `last - 1`, in order."""

    def __init__(self, topology: Topology, first: int, last: int, threads: int) -> None:
        self.ticket, self.done = Line(topology), Line(topology)
        self.next, self.last, self.threads = first, last, threads
        self.size = last - first

    def claim(self, policy: Policy, mean_ns: float) -> tuple[int, int]:
        """The next chunk, as the programs from the first to before the second."""
        left = self.last - self.next
        if policy.equal:
            taken = self.size // (policy.equal * self.threads)
        else:
            taken = max(left // (policy.part * self.threads), int(policy.least_ns / mean_ns))
        first = self.next
        self.next += min(max(taken, 1), left)
        return first, self.next


class Counters:
    """Counters that several neighbouring cores share."""

    def __init__(self, programs: int, topology: Topology, policy: Policy, mean_ns: float) -> None:
        self.topology, self.policy, self.mean_ns = topology, policy, mean_ns
        threads = topology.cores
        self.size = {"one": threads, "group": topology.group, "node": topology.node}[
            policy.counters
        ]
        self.counters = []
        for start in range(0, threads, self.size):
            end = min(start + self.size, threads)
            first, last = programs * start // threads, programs * end // threads
            self.counters.append(Counter(topology, first, last, end - start))
        self.looked = [core // self.size for core in range(threads)]

    def claim(self, core: int, now: float) -> tuple[float, int, int] | None:
        """When `core`, which looks from `now` on, has a chunk, and which."""
        for _ in self.counters:
            counter = self.counters[self.looked[core]]
            if counter.next < counter.last:
                first, last = counter.claim(self.policy, self.mean_ns)
                return counter.ticket.change(core, now), first, last
            now += self.topology.move_ns(counter.ticket.owner, core)
            self.looked[core] = (self.looked[core] + 1) % len(self.counters)
        return None

    def done(self, core: int) -> Line:
        """What `core` counts the programs in that have ended."""
        return self.counters[core // self.size].done


class Shares:
    """A share of the ids for each core, or for some neighbours where there are many, which others
    take from when they have nothing left."""

    def __init__(self, programs: int, topology: Topology, policy: Policy, mean_ns: float) -> None:
        self.policy = policy
        self.least = max(1, int(policy.least_ns / mean_ns))
        self.cores = topology.cores
        shares = min(self.cores, policy.shares)
        self.next = [programs * share // shares for share in range(shares)]
        self.last = [programs * (share + 1) // shares for share in range(shares)]
        self.come = [share == 0 for share in range(shares)]
        self.lines = [Line(topology) for _ in range(shares)]
        self.ended = Line(topology)

    def chunk(self, share: int) -> int:
        left = self.last[share] - self.next[share]
        members = -(-self.cores // len(self.next))
        return min(max(left // (self.policy.part * members), self.least), left)

    def claim(self, core: int, now: float) -> tuple[float, int, int] | None:
        """When `core`, which looks from `now` on, has a chunk, and which."""
        own = core * len(self.next) // self.cores
        self.come[own] = True
        looks = [(own, True)]
        if self.next[own] == self.last[own]:
            shares = range(len(self.next))
            looks = [(share, True) for share in shares if not self.come[share]]
            looks += [((own + i) % len(shares), False) for i in shares if i]
        for share, in_order in looks:
            now = self.lines[share].change(core, now)
            if taken := self.chunk(share):
                if in_order:
                    self.next[share] += taken
                    return now, self.next[share] - taken, self.next[share]
                self.last[share] -= taken
                return now, self.last[share], self.last[share] + taken
        return None

    def done(self, core: int) -> Line:
        """What `core` counts the programs in that have ended."""
        return self.ended


def simulate(launch: Launch, topology: Topology, policy: Policy = Policy()) -> Outcome:
    """One launch on all cores of `topology`."""
    programs, threads = len(launch.costs), topology.cores
    prefix = [0.0]
    for cost in launch.costs:
        prefix.append(prefix[-1] + cost)
    serial = prefix[-1]
    if threads == 1 or serial <= policy.serial_ns or programs == 1:
        return Outcome(serial, serial, threads)
    slow = topology.slowdown(min(threads, programs), launch.share)
    kind = Shares if policy.counters == "shares" else Counters
    work = kind(programs, topology, policy, serial / programs)
    woken = wake_times(threads, topology, policy)
    events = [(time, core, False) for core, time in enumerate(woken)]
    heapq.heapify(events)
    end = 0.0
    while events:
        now, core, finished = heapq.heappop(events)
        if finished:
            counted = work.done(core).change(core, now)
            end = max(end, counted + topology.move_ns(core, 0))
            heapq.heappush(events, (counted, core, False))
        elif claimed := work.claim(core, now):
            begun, first, last = claimed
            ran = (prefix[last] - prefix[first]) * slow
            heapq.heappush(events, (begun + ran, core, True))
    return Outcome(end, serial, threads)


# What is known of machines of this kind. Times between cores: "Characterizing the 3rd generation
# EPYC" style measurements of core-to-core latency (20-30 ns within a complex of 8 cores, 100-110
# ns within a socket, 190-210 ns between sockets); waking by futex: 3-8 microseconds from idle.
TWO_CORES = Topology("2 cores", cores=2, group=2, node=2, node_bytes=36.0)
SOCKET = Topology("64 cores: one socket, caches for 8 cores each", cores=64, group=8, node=64)
TWO_SOCKETS = Topology("128 cores: two sockets of 64", cores=128, group=8, node=64)


def with_cores(topology: Topology, cores: int) -> Topology:
    return replace(topology, cores=cores, name=f"{cores} of {topology.name}")
