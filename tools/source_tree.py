"""Facts about the source tree that the gates and `make metrics` share.

A "source" is a tracked or new file that git does not ignore; without git, every file outside the
build folders. Generated and third-party text never lives in the tree.
"""

from __future__ import annotations

import ast
import dataclasses
import re
import subprocess
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CPP_SUFFIXES = (".cpp", ".h", ".c")
SHARED_FOLDERS = ("lib", "include", "python", "bin")
IGNORED_FOLDERS = {".git", "build", "dist", ".venv", "__pycache__", ".mypy_cache", ".ruff_cache"}

# Chips, instruction sets and their vendors' software, as whole words or as the
# start of an identifier such as `avx512` or `amx_tile`.
VENDOR_NAMES = re.compile(
    r"(?<![A-Za-z])(?:nvidia|cuda|nvptx|nvvm|ptx|cubin|rocm|rocdl|hip|amdgpu|amdgcn|amd|ascend|cann"
    r"|intel|x86(?:_64)?|i[36]86|sse[0-9_]*|avx[0-9]*|amx|vnni|aarch64|arm64|arm|neon|sve|sme"
    r"|riscv(?:64|32)?|rvv|hexagon|hvx|loongarch(?:64)?|apple|metal|qualcomm)(?![a-z])",
    re.IGNORECASE,
)


@cache
def files() -> tuple[Path, ...]:
    """Every source file, relative to the root, sorted."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
        found = [Path(name) for name in listed.stdout.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        found = [p.relative_to(ROOT) for p in ROOT.rglob("*")]
        found = [p for p in found if not IGNORED_FOLDERS.intersection(p.parts)]
    return tuple(sorted({p for p in found if (ROOT / p).is_file()}))


def under(*folders: str, suffixes: Iterable[str] = ()) -> list[Path]:
    """Source files below any of `folders`, with one of `suffixes` if given."""
    wanted = tuple(suffixes)
    return [
        p
        for p in files()
        if (not folders or p.parts[0] in folders) and (not wanted or p.suffix in wanted)
    ]


def text(path: Path) -> str:
    return (ROOT / path).read_text(encoding="utf-8", errors="replace")


def is_test(path: Path) -> bool:
    return "test" in path.parts


def cpp_sources() -> list[Path]:
    return [p for p in under(suffixes=CPP_SUFFIXES) if not is_test(p)]


def python_sources() -> list[Path]:
    return [p for p in under(suffixes=(".py",)) if not is_test(p)]


@dataclasses.dataclass(frozen=True)
class Function:
    """A function's place and the lines that it spans."""

    path: Path
    name: str
    line: int
    lines: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.name} has {self.lines} lines"


def python_functions(path: Path) -> Iterator[Function]:
    for node in ast.walk(ast.parse(text(path))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            yield Function(path, node.name, node.lineno, lines)


_CPP_NOISE = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\''
    r"|^[ \t]*#(?:\\\n|[^\n])*",
    re.DOTALL | re.MULTILINE,
)
_CPP_SCOPE = re.compile(r"\b(?:namespace|class|struct|union|extern)\b[^()]*$")
_CPP_FUNCTION = re.compile(
    r"([~\w:]+|operator\s*\S+)\s*\([^;]*\)[^;=]*$|([~\w:]+)\s*\([^;]*\)\s*:\s*[^;]*$", re.DOTALL
)


def without_noise(source: str) -> str:
    """C++ without comments, literals and preprocessor lines; line numbers stay."""
    return _CPP_NOISE.sub(lambda match: "\n" * match.group().count("\n"), source)


def cpp_functions(path: Path) -> Iterator[Function]:
    """Function bodies in namespace or class scope; lambdas count to the function around them."""
    code = without_noise(text(path))
    scopes: list[bool] = []  # for each open brace: may it hold functions?
    inside = 0  # depth of the braces within the function being read
    start, name, head = 0, "", 0
    for match in re.finditer(r"[{};]", code):
        brace = match.group()
        if inside:
            inside += {"{": 1, "}": -1}.get(brace, 0)
            if not inside:
                first = code.count("\n", 0, start) + 1
                yield Function(path, name, first, code.count("\n", start, match.end()) + 1)
                head = match.end()
            continue
        before = code[head : match.start()]
        if before.count("(") > before.count(")"):
            continue  # an initialiser within a parameter list
        if brace == "{":
            opened = _CPP_FUNCTION.search(before) if all(scopes) else None
            if opened and not _CPP_SCOPE.search(before):
                name = opened.group(1) or opened.group(2)
                start = head + len(before) - len(before.lstrip())
                inside = 1
                continue
            scopes.append(bool(_CPP_SCOPE.search(before)))
        elif brace == "}" and scopes:
            scopes.pop()
        head = match.end()


@dataclasses.dataclass(frozen=True)
class Pass:
    """One `def … : Pass<"name">` of a Passes.td file."""

    name: str
    td: Path
    record: str

    @property
    def tests(self) -> list[Path]:
        """The lit tests of the pass's name; the first is the one that the reference shows."""
        return [p for p in files() if is_test(p) and p.name == f"{self.name}.mlir"]

    @property
    def error_tests(self) -> list[Path]:
        wanted = {f"{self.name}-errors.mlir", f"{self.name}-invalid.mlir"}
        return [p for p in files() if is_test(p) and p.name in wanted]

    @property
    def sources(self) -> list[Path]:
        """The C++ files that define the pass, known by its generated base class."""
        base = re.compile(rf"\bimpl::{self.record}Base\b|\b{self.record}Base\s*<")
        return [p for p in cpp_sources() if p.suffix == ".cpp" and base.search(text(p))]

    @property
    def emits_errors(self) -> bool:
        pattern = re.compile(r"\bemit(?:Op)?Error\b|\breport(?:User)?Error\b")
        return any(pattern.search(without_noise(text(p))) for p in self.sources)


_PASS = re.compile(r'^def\s+(\w+)\s*:\s*(?:Pass|InterfacePass)<\s*"([\w-]+)"', re.MULTILINE)


@cache
def passes() -> tuple[Pass, ...]:
    """Every pass that a Passes.td of the tree declares, sorted by name."""
    found = [
        Pass(name, td, record)
        for td in under(suffixes=(".td",))
        for record, name in _PASS.findall(text(td))
    ]
    return tuple(sorted(found, key=lambda p: p.name))


def vendor_mentions() -> list[str]:
    """`file:line: text` for each line of shared code that names a chip or a vendor."""
    return [
        f"{path}:{number}: {line.strip()}"
        for path in under(*SHARED_FOLDERS)
        for number, line in enumerate(text(path).splitlines(), 1)
        if VENDOR_NAMES.search(line)
    ]


COPY_WINDOW = 6


def significant_lines(path: Path) -> list[str]:
    """Lines stripped of blanks, comments and lone punctuation: what a copy would repeat."""
    source = without_noise(text(path)) if path.suffix in CPP_SUFFIXES else text(path)
    lines = (re.sub(r"\s+", " ", line).strip() for line in source.splitlines())
    return [x for x in lines if len(x) > 3 and not x.startswith(("#", "//", "import ", "from "))]


def copied_share(vendor: str) -> tuple[int, int]:
    """(copied, all) significant lines of third_party/<vendor>.

    A line is copied when it lies in a run of COPY_WINDOW lines that another file of the tree,
    the vendor's own or any other, has too.
    """
    suffixes = (*CPP_SUFFIXES, ".py", ".td")
    owners: dict[tuple[str, ...], set[Path]] = {}
    lines = {p: significant_lines(p) for p in under(suffixes=suffixes) if not is_test(p)}
    for path, rows in lines.items():
        for i in range(len(rows) - COPY_WINDOW + 1):
            owners.setdefault(tuple(rows[i : i + COPY_WINDOW]), set()).add(path)
    copied = total = 0
    for path, rows in lines.items():
        if path.parts[:2] != ("third_party", vendor):
            continue
        marked: set[int] = set()
        for i in range(len(rows) - COPY_WINDOW + 1):
            if len(owners[tuple(rows[i : i + COPY_WINDOW])]) > 1:
                marked.update(range(i, i + COPY_WINDOW))
        copied += len(marked)
        total += len(rows)
    return copied, total


def vendor_folders() -> list[str]:
    return sorted({p.parts[1] for p in under("third_party") if len(p.parts) > 2})
