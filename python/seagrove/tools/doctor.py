"""`seagrove doctor`: says of each backend whether it works, why, and what to do.

Each backend runs its kernel in a process of its own, so that one that crashes is a finding and
not the end of the report.
"""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from dataclasses import asdict, dataclass, replace
from importlib import metadata
from typing import Any

from seagrove import __version__
from seagrove.runtime import registry

_TIMEOUT_SECONDS = 300


@dataclass(frozen=True)
class Finding:
    """What is known of one backend or device after its kernel ran.

    Attributes:
        name: the backend or device.
        usable: True if the kernel ran and gave the right result.
        why, advice: as in `registry.Availability`.
        devices: names of the backend's devices.
        milliseconds: time of one small launch; None if none ran.
        state: "works"; "absent" if the backend says that it cannot be used here, "compiles" if
            it compiles all the same, "broken" if it cannot be asked, "fails" if its kernel does
            not give the right result.
        package: the distribution that a third party's backend comes from.
        others: findings of the backend's devices after the first.
    """

    name: str
    usable: bool
    why: str
    advice: str = ""
    devices: tuple[str, ...] = ()
    milliseconds: float | None = None
    state: str = "works"
    package: str = ""
    others: tuple[Finding, ...] = ()


def examine(name: str) -> Finding:
    """Probes the backend `name` and runs a kernel on each of its devices."""
    entry = registry.find(name)
    answer = entry.probe()
    if not answer.usable:
        state = "compiles" if answer.compiles else "absent" if entry.is_sound() else "broken"
        found = Finding(name, False, answer.why, answer.advice, answer.devices, state=state)
        return replace(found, package=entry.package)
    first, *others = [_run_on(device, answer) for device in answer.devices or (name,)]
    rest = tuple(replace(item, devices=()) for item in others)
    rest += tuple(Finding(*lack[:1], False, *lack[1:], state="absent") for lack in answer.lacking)
    return replace(first, name=name, package=entry.package, others=rest)


def _run_on(name: str, answer: registry.Availability) -> Finding:
    try:
        done = _child(name)
    except subprocess.TimeoutExpired:
        why = f"a small kernel ran for {_TIMEOUT_SECONDS} s"
        return Finding(name, False, why, "report this", answer.devices, state="fails")
    if done.returncode != 0:
        if done.returncode < 0:
            why = f"running a kernel ended the process with signal {-done.returncode}"
        else:
            why = "\n".join(done.stderr.strip().splitlines()[-8:])
        why = f"the kernel failed: {why}"
        return Finding(name, False, why, "report this text", answer.devices, state="fails")
    milliseconds = float(done.stdout.split()[-1])
    return Finding(name, True, answer.why, "", answer.devices, milliseconds)


def _child(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "seagrove.tools.doctor", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS)


def _examine_triton() -> dict[str, object]:
    """Which driver a launch would use, and Triton's own backends with whether they are active."""
    done = _child()
    if done.returncode != 0:
        return {"error": done.stderr.strip().splitlines()[-1:]}
    found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return found


def _version_of(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def report() -> dict[str, object]:
    """All findings, ready for JSON."""
    return {
        "seagrove": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "packages": {name: _version_of(name) for name in ("triton", "torch", "numpy")},
        "backends": [asdict(examine(name)) for name in sorted(registry.backends())],
        "triton": _examine_triton(),
    }


def _print(found: dict[str, object]) -> None:
    print(f"seagrove {found['seagrove']}, Python {found['python']}, {found['system']}")
    packages = found["packages"]
    assert isinstance(packages, dict)
    print(", ".join(f"{name} {version or 'not installed'}" for name, version in packages.items()))
    backends = found["backends"]
    assert isinstance(backends, list)
    for item in backends:
        package = f" (of {item['package']})" if item["package"] not in ("", "seagrove") else ""
        print(f"\n{item['name']}{package}: {_verdict(item)}")
        print(f"  why: {item['why']}")
        if item["advice"]:
            print(f"  do:  {item['advice']}")
        for other in item["others"]:
            why = "" if other["usable"] else f"; {other['why']}"
            why += f"; {other['advice']}" if other["advice"] else ""
            print(f"  {other['name']}: {_verdict(other)}{why}")
    triton = found["triton"]
    assert isinstance(triton, dict)
    if "error" in triton:
        print(f"\nimport triton fails: {triton['error']}")
        return
    states = (f"{name} ({'active' if on else 'no device'})" for name, on in triton["own"].items())
    print(f"\nA launch now runs on: {triton['active']}. Triton's own backends: {', '.join(states)}")


def _verdict(item: dict[str, Any]) -> str:
    if item["usable"]:
        return f"PASS, {item['milliseconds']:.3f} ms a launch"
    words = {"absent": "not usable here", "compiles": "COMPILE ONLY", "broken": "BROKEN"}
    return words.get(item["state"], "FAIL")


def main(*, as_json: bool) -> int:
    """Prints the report; 0 if at least one backend is usable."""
    found = report()
    if as_json:
        print(json.dumps(found, indent=2))
    else:
        _print(found)
    backends = found["backends"]
    assert isinstance(backends, list)
    return 0 if any(item["usable"] for item in backends) else 1


def _run_one(name: str) -> None:
    """A child process: runs the kernel on one backend and prints its time."""
    registry.use(name)
    from seagrove.testing import smoke

    print(smoke.run())


def _ask_triton() -> None:
    """A child process: prints what `_examine_triton` returns."""
    from seagrove.frontend import triton_compat

    own = triton_compat.upstream_backends()
    print(json.dumps({"active": triton_compat.active_driver_name(), "own": own}))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _run_one(sys.argv[1])
    else:
        _ask_triton()
