"""Devices that run their kernels outside of this process.

Such a device is a *worker*, a program on the chip, and a *transport*, the way to it. The worker
loads compiled kernels and starts them on memory of its own; what this side does is the same
whether the worker is an emulated process beside us or a board at the end of a cable:

    protocol.py   the messages
    transport.py  the interface of a transport
    local.py      a transport to a process on this machine, over shared memory
    memory.py     who owns which part of the device's memory
    device.py     a device: starts the worker, launches, turns what goes wrong into errors
    driver.py     the same as a driver, which a backend opens

docs/emulated-devices.md describes the whole.
"""
