"""Functions that the generated kernels pass to `tl.reduce`, `tl.associative_scan` and others."""

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def product(a, b):
    return a * b


@triton.jit
def maximum(a, b):
    return tl.where(a > b, a, b)


@triton.jit
def exclusive_or(a, b):
    return a ^ b


@triton.jit
def first(a, b):
    """Associative, not commutative: keeps the left one. Shows an order that was not kept."""
    return a


@triton.jit
def last(a, b):
    return b


@triton.jit
def linear(a1, b1, a2, b2):
    """Composition of x -> a x + b, as in linear recurrences."""
    return a1 * a2, a2 * b1 + b2


@triton.jit
def welford(mean1, m1, n1, mean2, m2, n2):
    """Mean and sum of squared deviations of two parts (Chan et al., 1979)."""
    n = n1 + n2
    delta = mean2 - mean1
    share = tl.where(n == 0, 0.0, n2 / n)
    return mean1 + delta * share, m1 + m2 + delta * delta * n1 * share, n


@triton.jit
def square_or_zero(x):
    """For `tl.map_elementwise`: a branch per element."""
    if x > 0:
        return x * x
    else:
        return x * 0


@triton.jit
def larger_first(a, i, b, j):
    """The larger key with its companion; the left one of equal keys."""
    keep = a >= b
    return tl.where(keep, a, b), tl.where(keep, i, j)


@triton.jit
def larger_pair(a, i, b, j):
    """The larger key, and of equal keys the larger companion: commutative, as reductions ask."""
    keep = (a > b) | ((a == b) & (i >= j))
    return tl.where(keep, a, b), tl.where(keep, i, j)


@triton.jit
def both_ways(x, y):
    """For `tl.map_elementwise`: two results."""
    if x > y:
        return x, y
    else:
        return y, x


@triton.jit
def pair_sum(x, y):
    """For `tl.map_elementwise` with two elements a call."""
    return x + y, x - y
