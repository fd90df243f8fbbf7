"""Backends and devices at run time: registry, launch arguments, device interface."""
