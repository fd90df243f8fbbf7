"""Files and functions stay small, and no backend is a copy of another file."""

from __future__ import annotations

import statistics
from pathlib import Path

import pytest
import source_tree as tree

CPP_FILE, CPP_FUNCTION = 1000, 100
PYTHON_FUNCTION = 60
COPIED_SHARE = 0.05


def test_cpp_files() -> None:
    sizes = {p: len(tree.text(p).splitlines()) for p in tree.cpp_sources()}
    assert not {str(p): n for p, n in sizes.items() if n > CPP_FILE}
    if sizes:
        assert statistics.median(sizes.values()) <= 180
        assert sorted(sizes.values())[int(0.9 * len(sizes))] <= 600


def test_cpp_functions() -> None:
    long = [str(f) for p in tree.cpp_sources() for f in tree.cpp_functions(p)]
    assert not [text for text in long if int(text.split()[-2]) > CPP_FUNCTION]


def test_python_functions() -> None:
    functions = [f for p in tree.python_sources() for f in tree.python_functions(p)]
    assert not [str(f) for f in functions if f.lines > PYTHON_FUNCTION]


def test_python_functions_of_the_package_are_short() -> None:
    paths = tree.under("python", suffixes=(".py",))
    lengths = [f.lines for p in paths for f in tree.python_functions(p)]
    assert not lengths or statistics.median(lengths) <= 8


@pytest.mark.parametrize("vendor", tree.vendor_folders())
def test_backend_is_no_copy(vendor: str) -> None:
    copied, total = tree.copied_share(vendor)
    assert copied <= COPIED_SHARE * total


SAMPLE = """
namespace a {
struct B : C {
  B(int x) : y(x) {
    first();
  }
  void run(int x = f({1})) override {
    if (x) { // }
      auto g = [&](int a) { return "}"; };
    }
  }
};
static const int table[] = {1, 2};
template <typename T> auto h(T x) -> decltype(x) {
  return x;
}
} // namespace a
bool operator==(A a, A b) { return true; }
"""


def test_cpp_function_reader(tmp_path: Path) -> None:
    source = tmp_path / "sample.cpp"
    source.write_text(SAMPLE)
    found = [(f.name, f.line, f.lines) for f in tree.cpp_functions(source)]
    assert found == [("B", 4, 3), ("run", 7, 5), ("h", 14, 3), ("operator==", 18, 1)]
