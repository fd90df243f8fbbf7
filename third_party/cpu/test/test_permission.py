"""What is asked of the machine before code for a target runs, on machines that are not here."""

from __future__ import annotations

import pytest
from seagrove.backends.cpu import permission

from seagrove.backends import cpu
from seagrove.errors import TargetError


@pytest.mark.parametrize("name", ["x86-64-v3", "armv8.6-a", "rv64gcv"])
def test_other_targets_ask_for_nothing(name, monkeypatch):
    monkeypatch.setattr(permission, "_request_tiles", lambda: 1 / 0)
    monkeypatch.setattr(permission, "_scalable_bits", lambda: 1 / 0)
    permission.require(cpu.describe(name))


@pytest.mark.parametrize("bits", [0, 128, 512])
def test_vectors_that_code_reckons_with(bits, monkeypatch):
    monkeypatch.setattr(permission, "_scalable_bits", lambda: bits)
    permission.require(cpu.describe("armv9-a"))


def test_vectors_that_are_too_long(monkeypatch):
    monkeypatch.setattr(permission, "_scalable_bits", lambda: 2048)
    with pytest.raises(TargetError, match="too long for code made for 'armv9-a'") as caught:
        permission.require(cpu.describe("armv9-a"))
    assert caught.value.code == "SG0741" and "2048" in str(caught.value.why)
    assert "SEAGROVE_CPU_TARGET" in caught.value.advice


def test_a_machine_without_them_tells_no_length():
    assert permission._scalable_bits() in {0, *(128 * n for n in range(1, 17))}
