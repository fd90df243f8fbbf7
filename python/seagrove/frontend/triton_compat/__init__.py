"""The adapter to upstream Triton: the only package that knows Triton's private parts.

Works with triton 3.6 to 3.9; test/python/test_triton_contract.py runs against each of them. What
is private and used here:

    compilers.py   triton.backends.compiler: the base class of compilers, which we make for each
                   backend of the registry; CompilationError
    drivers.py     triton.backends.driver: the same for drivers; `triton.runtime.driver`, whose
                   configuration we make ask for the choice of the thread first
    hooks.py       the dict `triton.backends.backends`, which ours are put into; the import of
                   Triton, which we wait for; `triton.runtime.cache.triton_key`, replaced by one
                   that does not read 500 MB; where `libdevice` is looked up
    choice.py      `JITFunction.run` and `Autotuner.run`, wrapped to choose the device of a launch
    launchers.py   what a launcher is told of a kernel: sources, signatures, metadata
    binding.py     `triton.runtime.jit.create_function_from_signature`, wrapped so that NumPy
                   arrays are accepted and errors name kernel and argument
    dispatch.py    `JITFunction.__getitem__`, which remembers launches, and what a launch depends
                   on: its caches, hooks, globals, knobs
    kernels.py     ASTSource and the front end, for the command line
    upstream.py    `triton.backends.<name>`: the compiler and driver classes of Triton's own
                   backends, which ours of the fork "upstream" extend

`import triton` imports this package through a backend's modules, half-way through Triton's own
import: at module level only what exists by then may be imported.
"""

from __future__ import annotations

from triton.backends.compiler import GPUTarget
from triton.backends.driver import DriverBase

from seagrove.frontend.triton_compat.compilers import CompilerBase, as_triton_error, compiler_class
from seagrove.frontend.triton_compat.drivers import (
    DriverAdapter,
    active_driver_name,
    backend_names,
    driver_class,
    upstream_backends,
)
from seagrove.frontend.triton_compat.hooks import install
from seagrove.frontend.triton_compat.kernels import (
    is_kernel,
    kernel_ttir,
    make_backend,
    unwrap_kernel,
    watched_launches,
)
from seagrove.frontend.triton_compat.version import SUPPORTED, triton_version

__all__ = [
    "SUPPORTED",
    "CompilerBase",
    "DriverAdapter",
    "DriverBase",
    "GPUTarget",
    "active_driver_name",
    "as_triton_error",
    "backend_names",
    "compiler_class",
    "driver_class",
    "install",
    "is_kernel",
    "kernel_ttir",
    "make_backend",
    "triton_version",
    "unwrap_kernel",
    "upstream_backends",
    "watched_launches",
]
