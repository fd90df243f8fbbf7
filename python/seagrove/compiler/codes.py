"""What each stable code means, at length: the table behind `seagrove explain`.

SG00xx the compiler itself, SG01xx to SG05xx the user's kernel, SG06xx a launch, SG07xx backends,
targets and the installation.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Explanation:
    """What a code means, at length.

    Attributes:
        headline: the message without the names of one case.
        why: what the compiler or the launcher cannot do, and why.
        advice: what to change.
        example: a piece of code that helps, if any.
    """

    headline: str
    why: str
    advice: str
    example: str = ""


EXPLANATIONS: dict[str, Explanation] = {
    "SG0001": Explanation(
        "the compiler failed and gave no reason",
        "A pass failed without a diagnostic. That is a defect of Seagrove.",
        "Report it with the output of `seagrove compile FILE.py::kernel --emit ttir`.",
    ),
    "SG0601": Explanation(
        "the argument is not a tensor",
        "A pointer parameter takes an address, and this object gives none: it has neither "
        "data_ptr() nor the array interface.",
        "Pass a torch tensor, a NumPy array, or any object with data_ptr() and dtype.",
    ),
    "SG0602": Explanation(
        "the tensor has elements but no memory",
        "data_ptr() returned 0 for a tensor that is not empty: it has no storage (a meta or fake "
        "tensor, or one whose storage was freed), and reading address 0 would end the process.",
        "Pass a tensor that owns memory.",
    ),
    "SG0603": Explanation(
        "the array has a negative stride",
        "Its first element is not its lowest address. A kernel is given one address and strides "
        "that the caller passes; Triton's tensors never run backwards.",
        "Pass a copy in order.",
        "kernel[grid](numpy.ascontiguousarray(x[::-1]), ...)",
    ),
    "SG0604": Explanation(
        "the tensor lives on another device",
        "The chosen backend reads the host's memory and the tensor's memory is elsewhere.",
        "Move the tensor with .cpu(), or choose the backend of the tensor's device with "
        "seagrove.use(...).",
    ),
    "SG0605": Explanation(
        "the tensor's dtype is not the one the kernel was compiled for",
        "The compiled kernel reads elements of one size and format; others would be read as "
        "garbage. This happens when a compiled kernel is launched again by hand, or when a "
        "parameter's annotation names a type.",
        "Convert the tensor, or launch through the kernel itself, which compiles for the dtype.",
    ),
    "SG0606": Explanation(
        "the number does not fit",
        "The parameter's integer type was fixed when the kernel was compiled and this value is "
        "outside of its range.",
        "Pass a smaller number, or annotate the parameter with a wider type (n: tl.int64).",
    ),
    "SG0607": Explanation(
        "the argument is not a number",
        "The parameter was compiled as a number.",
        "Pass an int or a float (a NumPy scalar is one, a tensor is not).",
    ),
    "SG0608": Explanation(
        "wrong number of arguments",
        "A launch takes every parameter of the kernel, tl.constexpr ones included, unless they "
        "have a default.",
        "Compare the call with the kernel's definition.",
    ),
    "SG0609": Explanation(
        "the grid is not possible",
        "A grid has one to three sizes, each an integer from 0 to 2147483647. A size of 0 is "
        "allowed and launches nothing.",
        "Compute the grid with triton.cdiv(n, BLOCK).",
    ),
    "SG0610": Explanation(
        "the argument does not match the compiled signature",
        "The kernel was compiled for another structure of this argument: a tuple of another "
        "length, or a tensor descriptor of another rank.",
        "Launch through the kernel itself, which compiles for the argument.",
    ),
    "SG0611": Explanation(
        "the parameter's type is not supported",
        "The launcher knows integers of 1 to 64 bits, fp16, bf16, fp32, fp64, pointers, tensor "
        "descriptors, and tuples of these.",
        "Change the parameter's annotation.",
    ),
    "SG0612": Explanation(
        "a tensor descriptor with NaN padding cannot be passed from the host",
        "A host descriptor is handed over as address, shape and strides; its padding is not.",
        "Make the descriptor in the kernel with tl.make_tensor_descriptor(..., "
        'padding_option="nan").',
    ),
    "SG0613": Explanation(
        "the argument cannot be used in a launch",
        "Triton specialises a kernel on tensors, numbers, booleans, None, tuples and tensor "
        "descriptors.",
        "Convert the argument to one of these.",
    ),
    "SG0701": Explanation(
        "the native module cannot be loaded",
        "seagrove/_seagrove*.so is missing, or was built for another Python.",
        "Install the package with pip, or build it and set SEAGROVE_BUILD_DIR.",
    ),
    "SG0702": Explanation(
        "there is no target of this name",
        "Targets are named in the description files of a backend.",
        "`seagrove targets` lists them.",
    ),
    "SG0703": Explanation(
        "no target description fits this machine",
        "The machine lacks a feature that the weakest description requires.",
        "Add a description for it to the backend's target file.",
    ),
    "SG0704": Explanation(
        "this machine cannot run code made for that target",
        "Instructions that a chip does not have end the process.",
        "Leave the target unset (SEAGROVE_CPU_TARGET, or the launch option arch); code for "
        "another machine can still be made with `seagrove compile --target`.",
    ),
    "SG0705": Explanation(
        "the compiled kernel cannot be loaded",
        "The dynamic loader refused the image, or the kernel was used after it had been unloaded.",
        "Clear the cache of compiled kernels (~/.triton/cache) and launch again.",
    ),
    "SG0706": Explanation(
        "there is no backend of this name",
        "A backend is an installed package that registers itself.",
        "`seagrove devices` lists the installed ones.",
    ),
    "SG0707": Explanation(
        "the kernel cannot be found",
        "`seagrove compile` takes FILE.py::NAME, where NAME is a function under @triton.jit at "
        "the top level of the file.",
        "Check the name; `seagrove compile FILE.py` without a name lists the kernels of a file.",
    ),
    "SG0708": Explanation(
        "the signature does not fit the kernel",
        "It names one type or value for each parameter in order: *fp32 for a pointer, i32 for an "
        "integer, and the value itself for a tl.constexpr.",
        'Write for example --signature "*fp32,*fp32,i32,1024".',
    ),
}
