"""Shared code names no vendor; no file names this or that machine or a registry."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import source_tree as tree

# Built from parts, so that this file does not trip over itself.
MACHINE_PATH = re.compile("(?<![\\w.])/(?:" + "|".join(("work", "root", "farm", "home")) + ")/\\w")
SCRATCH_PATH = re.compile("/" + "tmp/w\\b")
HOST = re.compile(r"\b(?:https?://([\w.-]+)|((?:[a-z0-9-]+\.)+(?:org|com|net))(?![\w.(]))")
HOSTS = {
    "www.apache.org",  # the licence
    "llvm.org",
    "mlir.llvm.org",
    "triton-lang.org",
    "pre-commit.com",
    "arxiv.org",
    "doi.org",
    "json-schema.org",
    "www.w3.org",  # the namespace of SVG
}
TEXT_SUFFIXES = {".png", ".npy", ".bin", ".so", ".svg"}


def text_files() -> list[Path]:
    return [p for p in tree.files() if p.suffix not in TEXT_SUFFIXES]


def matches(pattern: re.Pattern[str], paths: list[Path]) -> list[str]:
    return [
        f"{path}:{number}: {line.strip()[:120]}"
        for path in paths
        for number, line in enumerate(tree.text(path).splitlines(), 1)
        if pattern.search(line)
    ]


def foreign_hosts(line: str) -> list[str]:
    return [a or b for a, b in HOST.findall(line) if (a or b) not in HOSTS]


def test_shared_code_names_no_vendor() -> None:
    assert not tree.vendor_mentions()


@pytest.mark.parametrize(
    "line",
    ["if (target == AVX512)", "// for CUDA", "has_amx_tile", "x86_64-linux", "sse4.2", "uses NEON"],
)
def test_vendor_names_are_recognised(line: str) -> None:
    assert tree.VENDOR_NAMES.search(line)


@pytest.mark.parametrize("line", ["cannot", "charm", "ship", "same", "amdahl"])
def test_other_words_are_not(line: str) -> None:
    assert not tree.VENDOR_NAMES.search(line)


# What a backend or a command may know of Triton is its language.
PRIVATE = re.compile(
    r"(?:from|import) triton\.(?!language|testing|tools)"
    r"|import_module\(\"triton\.(?!language)|from triton import (?!language)"
)
KNOWS_TRITON = ("python/seagrove/frontend/triton_compat/", "python/seagrove/testing/differential/")


def test_only_the_adapter_touches_tritons_private_parts() -> None:
    paths = tree.under("python", "third_party", "examples", suffixes=(".py",))
    shared = [p for p in paths if not p.as_posix().startswith(KNOWS_TRITON)]
    shared = [p for p in shared if not tree.is_test(p)]
    assert not matches(PRIVATE, shared)
    assert PRIVATE.search("from triton.runtime" + " import driver")


def test_no_machine_paths() -> None:
    assert not matches(MACHINE_PATH, text_files())
    assert not matches(SCRATCH_PATH, text_files())
    assert MACHINE_PATH.search('open("/' + 'home/me/x")')


def test_no_registry_hosts() -> None:
    found = [
        f"{path}:{number}: {host}"
        for path in text_files()
        for number, line in enumerate(tree.text(path).splitlines(), 1)
        for host in foreign_hosts(line)
    ]
    assert not found
    assert foreign_hosts("pip install -i https://" + "index.example/simple")
    assert foreign_hosts("deb.example" + ".org")
