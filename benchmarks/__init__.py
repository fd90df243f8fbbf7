"""The benchmark suite: cases as data (`kernels`), a runner, measured ceilings and a report."""
