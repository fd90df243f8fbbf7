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
    "SG0210": Explanation(
        "this use of a block of pointers or of a tensor descriptor is not supported",
        "Addresses are taken apart into base, offsets and mask. That is done for pointers that "
        "are computed, selected, carried through loops, stored, and used to access memory.",
        "Keep the pointers in one of these forms; convert offsets rather than pointers.",
    ),
    "SG0211": Explanation(
        "cannot tell where the pointers of an access come from",
        "They come from an operation that the analysis of addresses does not know.",
        "Compute them from a kernel argument with + and tl.arange in the same function.",
    ),
    "SG0212": Explanation(
        "a descriptor reduction of this kind is not supported",
        "Memory can be combined through a descriptor by add, min, max, and, or, xor.",
        "Load, combine and store the tile, or use tl.atomic_* on pointers.",
    ),
    "SG0213": Explanation(
        "this function has a loop without an end",
        "Helper functions are put into their caller, which takes loops that end only.",
        "Give the loop a condition, or leave it by a return.",
    ),
    "SG0301": Explanation(
        "an operation on blocks is not supported",
        "It has no meaning away from the machine that it was made for.",
        "Write it with elementwise operations, reductions, tl.dot, loads and stores.",
    ),
    "SG0302": Explanation(
        "dot_scaled with 6-bit elements is not supported",
        "The formats e2m3 and e3m2 are not packed in a way that Triton's interpreter or this "
        "compiler knows.",
        "Use e2m1, e4m3, e5m2, fp16 or bf16 operands.",
    ),
    "SG0303": Explanation(
        "the function that is mapped over a block is not structured",
        "Each element runs the function; it has to be one block of operations after inlining.",
        "Use if and for without early returns, or tl.where.",
    ),
    "SG0310": Explanation(
        "the library function is not available on this backend",
        "A kernel called a function of another backend's library, or one that has no "
        "implementation here.",
        "Use a function of tl.math or of triton.language.extra.libdevice.",
    ),
    "SG0401": Explanation(
        "an operation on blocks is not supported",
        "The CPU code generator has no form for it.",
        "Write it with elementwise operations, reductions, tl.dot, loads and stores.",
    ),
    "SG0403": Explanation(
        "an operation is not supported here",
        "The code generator has no form for it at this place.",
        "Write it with other operations, or report it with the TTIR.",
    ),
    "SG0404": Explanation(
        "a kernel cannot take a block as an argument",
        "Kernels take pointers, numbers and descriptors; blocks live within one program.",
        "Pass a pointer and load the block.",
    ),
    "SG0405": Explanation(
        "an effect on a block is not supported",
        "The code generator knows prints and assertions.",
        "Write it with other operations, or report it with the TTIR.",
    ),
    "SG0406": Explanation(
        "a kernel returns nothing",
        "Results go to memory.",
        "Store the value through a pointer argument.",
    ),
    "SG0407": Explanation(
        "this kind of matrix product is not supported",
        "The code generator knows products of two and of three dimensions.",
        "Use tl.dot on blocks of two or three dimensions.",
    ),
    "SG0501": Explanation(
        "no code can be made for the target",
        "LLVM does not know the triple, the CPU or a feature of the description.",
        "`seagrove targets` lists the code generators; check the target file.",
    ),
    "SG0502": Explanation(
        "the kernel cannot be expressed in LLVM IR",
        "A pass left an operation that has no translation. That is a defect of Seagrove.",
        "Report it with the output of `seagrove compile FILE.py::kernel --emit ttir`.",
    ),
    "SG0503": Explanation(
        "the code generator refused the kernel",
        "LLVM reported an error while it made machine code. That is a defect of Seagrove, or of "
        "the target's description.",
        "Report it with the output of `seagrove compile FILE.py::kernel --emit ttir`.",
    ),
    "SG0504": Explanation(
        "the kernel cannot be linked",
        "The object needs a symbol that nothing provides.",
        "Use functions of tl.math or of triton.language.extra.libdevice only.",
    ),
    "SG0505": Explanation(
        "the assembler refuses the inline assembly",
        "tl.inline_asm_elementwise takes the assembly of the machine that the kernel is compiled "
        "for. That of a GPU means nothing to another chip.",
        "Write it with tl operations, or give this machine's assembly where "
        "tl.target_info tells that it runs here.",
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
    "SG0613": Explanation(
        "the argument cannot be used in a launch",
        "Triton specialises a kernel on tensors, numbers, booleans, None, tuples and tensor "
        "descriptors.",
        "Convert the argument to one of these.",
    ),
    "SG0614": Explanation(
        "a program failed an assertion",
        "A condition given to tl.device_assert did not hold. The program ended there; other "
        "programs of the launch ran on.",
        "The message names the line of the assertion. Assertions run where a kernel is launched "
        "with debug=True or with TRITON_DEBUG=1.",
    ),
    "SG0615": Explanation(
        "a cooperative launch has more programs than can run together",
        "With launch_cooperative_grid=True every program may wait for every other one, so each "
        "needs a thread of its own.",
        "Launch a smaller grid whose programs take several pieces of work each. Without the option "
        "a program may still wait for programs of a lower id.",
    ),
    "SG0616": Explanation(
        "num_warps must be a power of 2",
        "Triton's layouts divide a block by powers of two, so a kernel with another number would "
        "compile here and on no GPU.",
        "Launch with num_warps=1, 2, 4, 8, ...",
    ),
    "SG0617": Explanation(
        "the tensors of a launch live on two devices",
        "A launch runs on one device, which reads its own memory.",
        "Copy the tensors to one device, or choose it by seagrove.use(...).",
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
    "SG0709": Explanation(
        "the backend cannot be imported",
        "Its package raised an error while it was imported or made. Nothing else is affected.",
        "Reinstall the package, or remove it; the message quotes its error.",
    ),
    "SG0710": Explanation(
        "the backend is written for another version of the interface",
        "A backend states the version of seagrove.backend that it was written for, and only that "
        "one is loaded.",
        "Upgrade the backend's package, or Seagrove where the backend is newer.",
    ),
    "SG0711": Explanation(
        "this is no backend",
        "The entry point must name a subclass of seagrove.backend.Backend whose `name` is that of "
        "the entry point.",
        "Report it to those who made the backend.",
    ),
    "SG0712": Explanation(
        "there is no such device, or it lacks what is asked of it",
        "A device is named backend or backend:target; settings besides are the backend's own.",
        "`seagrove devices` lists the devices that can be used.",
        'with seagrove.use("cpu"):\n    kernel[grid](x, y, n)',
    ),
    "SG0713": Explanation(
        "this tensor cannot be made on the device",
        "Its data is of a kind that has no place in memory: not a number, or not in one piece.",
        "Pass a NumPy array, a torch tensor, or numbers with a dtype.",
    ),
    "SG0714": Explanation(
        "the backend does not compile this operation",
        "A backend names the operations that its chip or its compiler cannot do.",
        "Follow the advice of the message, or choose another backend for this kernel.",
    ),
    "SG0715": Explanation(
        "the skeleton of a backend cannot be written",
        "`seagrove new-backend NAME` writes a new folder for a backend whose name is not taken.",
        "Choose another name, or another place by --out.",
    ),
    "SG0721": Explanation(
        "the device cannot be started",
        "A device outside of this process needs a program that runs its kernels, the worker, and "
        "an emulated one the emulator besides. One of them is missing, did not answer, or is not "
        "the one that it should be.",
        "Install what the message names; `seagrove doctor` looks again.",
    ),
    "SG0722": Explanation(
        "a kernel faulted on the device",
        "It used memory that the device does not have, or an instruction that ended its worker. "
        "Host tensors of the launch are as they were before it; memory of the device stays.",
        "Check masks and offsets. A pointer that a kernel loads from memory must be one of a "
        "tensor that lives on the device. The next launch starts a new worker.",
    ),
    "SG0723": Explanation(
        "the device's worker ended during a launch",
        "Something outside ended the process, or the emulator gave up.",
        "Launch again: a new worker starts by itself.",
    ),
    "SG0724": Explanation(
        "a kernel ran for too long",
        "The device did not answer within its time, and its worker was ended.",
        "SEAGROVE_DEVICE_TIMEOUT sets the time in seconds, 300 without it; 0 waits forever.",
    ),
    "SG0725": Explanation(
        "the device has no memory left",
        "Tensors on the device, copies of host tensors of a launch and scratch memory share it.",
        "Free tensors, or give it more: SEAGROVE_EMULATED_MEMORY sets the size of an emulated "
        "device's memory in MiB.",
    ),
    "SG0726": Explanation(
        "the memory is not in use",
        "It was never allocated, has been freed, or belongs to the process that this one was "
        "forked from: a child has devices of its own.",
        "Allocate tensors in the process that uses them.",
    ),
    "SG0727": Explanation(
        "the device refuses the compiled kernel",
        "It is code for another architecture, damaged, or calls a function that the device's "
        "worker does not offer.",
        "Launch it through the kernel, which compiles for the chosen device.",
    ),
    "SG0729": Explanation(
        "the device cannot have vectors of this length",
        "An emulated processor with scalable vectors has one of a few lengths.",
        "Give vector_bits in seagrove.use one of those that the message lists, or set "
        "SEAGROVE_VECTOR_BITS.",
    ),
    "SG0740": Explanation(
        "The system refuses registers",
        "The system keeps some registers, such as the tiles of a matrix unit, only for processes "
        "that ask for them, and refused this one.",
        "Choose a target without them by SEAGROVE_CPU_TARGET.",
    ),
    "SG0741": Explanation(
        "The machine's vectors are longer than the code is made for",
        "Code for vectors whose length is known at run time only reckons with a greatest length, "
        "which the target description states.",
        "Choose a target with vectors of a fixed length by SEAGROVE_CPU_TARGET.",
    ),
    "SG0730": Explanation(
        "the installed Triton has no such backend",
        "Some chips are compiled for by the pipeline of the installed wheel of triton, and this "
        "wheel was built without it.",
        "Install a wheel that has it: pip install 'triton>=3.6,<3.10'.",
    ),
    "SG0731": Explanation(
        "a launch option does not fit the target",
        "Options tune one chip: a cluster of programs (num_ctas above 1), for example, exists on "
        "some targets only, and num_warps is a power of 2 everywhere.",
        "Leave the option out, or choose it by the target.",
    ),
    "SG0732": Explanation(
        "upstream's compiler failed",
        "The kernel went through the pipeline of the installed Triton, which refused it. Its own "
        "words are the message; the place is the user's line as well as it can be told.",
        "Change what the message names, or try another release of triton; "
        "`seagrove compile --emit ttir` gives what upstream was handed.",
    ),
    "SG0733": Explanation(
        "the target does not take this operation",
        "The backend knows that upstream's compiler would fail on it for this target, in a way "
        "that says little or ends the process.",
        "Follow the advice of the message, or compile for another target.",
    ),
    "SG0734": Explanation(
        "upstream's compiler ended its process",
        "An assertion of the installed Triton's pipeline does not hold for this kernel. That is a "
        "defect of the pipeline; in a command it is caught, in a launch it ends the program.",
        "Try another release of triton, or another way to write the operation.",
    ),
    "SG0735": Explanation(
        "the kernel needs more memory on the chip than the target has",
        "Blocks that are multiplied, or that several stages of a loop hold at once, lie in the "
        "memory that the threads of one program share.",
        "Use smaller blocks, or fewer stages: --option num_stages=1.",
    ),
    "SG0736": Explanation(
        "the backend compiles here and cannot run",
        "No device of it is in this machine, or its driver cannot be used.",
        "`seagrove doctor` says what is missing; `seagrove compile --target` needs no device.",
    ),
    "SG0737": Explanation(
        "Triton's front end refuses the kernel",
        "The function is no valid kernel for this target; the message is Triton's own.",
        "Change the line that the message shows.",
    ),
    "SG0738": Explanation(
        "the command line asks for something that does not exist",
        "Each backend has its own stages, which --emit names; --option takes NAME=VALUE.",
        "`seagrove compile --help` lists what there is.",
    ),
}
