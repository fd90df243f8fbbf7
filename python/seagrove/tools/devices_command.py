"""`seagrove devices` and `seagrove targets`: what is here, and what code can be made for.

Both read what the compiler and the launches read: the registry, the drivers' properties, and the
target descriptions.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from seagrove.errors import SeagroveError
from seagrove.runtime import memory, registry


def device_rows() -> list[dict[str, Any]]:
    """Each backend with whether it can be used, and its devices with what they have."""
    rows = []
    for name, entry in sorted(registry.backends().items()):
        answer = entry.probe()
        row = {"backend": name, "package": entry.package or "seagrove", **asdict(answer)}
        row["devices"] = [_device(item) for item in (entry.devices() if answer.usable else ())]
        rows.append(row)
    return rows


def _device(name: str) -> dict[str, Any]:
    try:
        driver = registry.device(name).driver
        found = {"properties": dict(driver.properties()), "arch": driver.arch}
        return {"name": name, **found, "memory": asdict(memory.statistics(driver))}
    except SeagroveError as error:
        return {"name": name, "error": error.headline, "advice": error.advice}


def print_devices(*, as_json: bool) -> int:
    """Prints the backends and their devices; returns the exit status."""
    rows = device_rows()
    if as_json:
        print(json.dumps(rows, indent=2, default=str))
        return 0
    for row in rows:
        state = "compile only" if row["compiles"] else "not usable"
        print(f"{row['backend']}: {'usable' if row['usable'] else state}; {row['why']}")
        if not row["usable"] and row["advice"]:
            print(f"  do: {row['advice']}")
        for device in row["devices"]:
            print(f"  {device['name']:20} {_in_words(device)}")
        for name, why, advice in row["lacking"]:
            print(f"  {name:20} not usable: {why}; {advice}")
    return 0


def _in_words(device: dict[str, Any]) -> str:
    if "error" in device:
        return f"cannot be opened: {device['error']}"
    found = device["properties"]
    parts = [str(found.get("name", "")), f"{found.get('multiprocessor_count', 1)} cores"]
    if total := device["memory"]["total"]:
        parts.append(f"{total / (1 << 30):.1f} GiB")
    return ", ".join(filter(None, parts))


def target_rows() -> tuple[list[dict[str, Any]], list[str]]:
    """Every target that code can be made for, and what keeps a backend from telling its own."""
    from seagrove.compiler import targets

    rows, problems = [], []
    for name, entry in sorted(registry.backends().items()):
        try:
            backend = entry.load()
            for target in backend.targets():
                row = {"target": f"{backend.triton_name or name}:{target.name}", "backend": name}
                row["fork"] = backend.fork
                known = asdict(target)
                if backend.fork != "vector":
                    known.update(dict.fromkeys(_OF_VECTORS))
                rows.append({**row, **known, "runs_here": targets.runs_here(target)})
        except SeagroveError as error:
            problems.append(f"{name}: {error.why or error.headline}")
        except Exception as error:  # A broken backend is one line of the answer.
            problems.append(f"{name}: {type(error).__name__}: {error}")
    return rows, problems


_OF_VECTORS = (
    *("vector_bits", "vector_registers", "register_group", "fma"),
    *("scalable", "scalable_unit_bits", "scalable_max_bits"),
    *("l1_bytes", "l2_bytes", "last_level_bytes"),
)
_COLUMNS = ("target", "fork", "vectors", "registers", "fma", "L1", "L2", "runs here", "besides")


def print_targets(*, as_json: bool) -> int:
    """Prints the capability table; returns the exit status."""
    from seagrove.compiler import targets
    from seagrove.compiler.native import native

    rows, problems = target_rows()
    if as_json:
        host = {"cpu": targets.host().cpu, "triple": targets.host().triple}
        answer = {"targets": rows, "problems": problems, "host": host}
        print(json.dumps({**answer, "code_generators": native().llvm_targets()}, indent=2))
        return 0
    _print_table([_COLUMNS, *map(_cells, rows)])
    for problem in problems:
        print(f"broken: {problem}")
    print(f"host: {targets.host().cpu} ({targets.host().triple})")
    print(f"code generators: {', '.join(native().llvm_targets())}")
    return 0


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    besides = ", ".join(f"{key}={value}" for key, value in row["attributes"] if value)
    # Another compiler does not ask for what describes a register file of vectors.
    vector = ("-",) * 5
    if row["fork"] == "vector":
        vector = (
            f"{row['vector_bits']} bit" + (" x n" if row["scalable"] else ""),
            str(row["vector_registers"]),
            "yes" if row["fma"] else "no",
            f"{row['l1_bytes'] >> 10}K",
            f"{row['l2_bytes'] >> 10}K",
        )
    runs_here = "runs here" if row["runs_here"] else ""
    return (row["target"], row["fork"], *vector, runs_here, besides)


def _print_table(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())
