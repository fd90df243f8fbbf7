"""The front ends that Seagrove takes kernels from; today Triton's.

Importing this package imports Triton, so that Triton's own search for backends, which imports
modules that need this package, is over or under way before any of it runs.
"""

import triton as _triton  # noqa: F401  (for its effect)
