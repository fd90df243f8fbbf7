"""Kernels and oracles that check a backend."""
