//===- launch.cpp - the callable that starts a kernel ---------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "launch.h"

#include "arguments.h"
#include "loader.h"
#include "openmp.h"
#include "thread_pool.h"

#include <cstddef>
#include <memory>
#include <new>
#include <structmember.h>

namespace seagrove::launch {
namespace {

/// A launch shorter than this keeps the interpreter's lock: giving it back and
/// fetching it again would cost more, and would let other threads in between.
constexpr double kKeepLockNs = 2'000;
/// Argument slots that live on the stack.
constexpr size_t kInlineSlots = 64;

//===----------------------------------------------------------------------===//
// Kernel
//===----------------------------------------------------------------------===//

struct KernelObject {
  PyObject ob_base;
  SharedObject image;
  KernelFunctions functions;
};

PyTypeObject *kernelType = nullptr;
PyTypeObject *launcherType = nullptr;

PyObject *kernelNew(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
  static const char *keywords[] = {"image", "symbol", nullptr};
  Py_buffer bytes;
  const char *symbol = nullptr;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "y*s:Kernel",
                                   const_cast<char **>(keywords), &bytes,
                                   &symbol))
    return nullptr;
  auto *self = reinterpret_cast<KernelObject *>(type->tp_alloc(type, 0));
  if (!self) {
    PyBuffer_Release(&bytes);
    return nullptr;
  }
  new (&self->image) SharedObject;
  std::string error = self->image.load(bytes.buf, size_t(bytes.len));
  PyBuffer_Release(&bytes);
  if (error.empty()) {
    self->functions = findKernel(
        symbol, [self](const char *name) { return self->image.find(name); });
    if (!self->functions.entry)
      error = std::string("no symbol '") + symbol + "' in the kernel's image";
  }
  if (!error.empty()) {
    Py_DECREF(self);
    if (PyObject *unexpected = callHelper(
            "raise_load_error", Py_BuildValue("(ss)", symbol, error.c_str())))
      Py_DECREF(unexpected);
    return nullptr;
  }
  return reinterpret_cast<PyObject *>(self);
}

void kernelDealloc(PyObject *object) {
  PyTypeObject *type = Py_TYPE(object);
  reinterpret_cast<KernelObject *>(object)->image.~SharedObject();
  type->tp_free(object);
  Py_DECREF(type);
}

PyObject *kernelUnload(PyObject *object, PyObject *) {
  auto *self = reinterpret_cast<KernelObject *>(object);
  self->functions = {};
  self->image.unload();
  Py_RETURN_NONE;
}

PyObject *kernelAddress(PyObject *object, void *) {
  auto *self = reinterpret_cast<KernelObject *>(object);
  return PyLong_FromVoidPtr(reinterpret_cast<void *>(self->functions.entry));
}

PyMethodDef kernelMethods[] = {
    {"unload", kernelUnload, METH_NOARGS,
     "Unmaps the code. A later launch of this kernel raises an error."},
    {}};

PyGetSetDef kernelGetSet[] = {
    {"address", kernelAddress, nullptr,
     "Address of the range kernel; 0 once it is unloaded.", nullptr},
    {}};

PyType_Slot kernelSlots[] = {
    {Py_tp_new, reinterpret_cast<void *>(kernelNew)},
    {Py_tp_dealloc, reinterpret_cast<void *>(kernelDealloc)},
    {Py_tp_methods, kernelMethods},
    {Py_tp_getset, kernelGetSet},
    {Py_tp_doc, const_cast<char *>("Kernel(image, symbol)\n--\n\n"
                                   "A loaded shared object and the range "
                                   "kernel in it.")},
    {}};

PyType_Spec kernelSpec = {"seagrove._seagrove.Kernel", sizeof(KernelObject), 0,
                          Py_TPFLAGS_DEFAULT, kernelSlots};

//===----------------------------------------------------------------------===//
// Launcher
//===----------------------------------------------------------------------===//

/// What a launcher knows; apart from the Python object so that it may hold C++
/// values.
struct Plan {
  Signature signature;
  int64_t scratchBytes = 0;
  Progress progress = Progress::Independent;
  CostEstimate cost;
};

struct LauncherObject {
  PyObject ob_base;
  vectorcallfunc vectorcall;
  Plan *plan;
};

/// The positions in Triton's call of a launcher.
enum Position : Py_ssize_t {
  kGridX,
  kGridY,
  kGridZ,
  kStream,
  kFunction,
  kPackedMetadata,
  kLaunchMetadata,
  kEnterHook,
  kExitHook,
  kFirstArgument,
};

bool raise(const char *function, PyObject *args) {
  if (PyObject *unexpected = callHelper(function, args))
    Py_DECREF(unexpected);
  if (!PyErr_Occurred())
    PyErr_SetString(PyExc_SystemError, "seagrove: no error was raised");
  return false;
}

/// Reads the grid. Returns the number of programs, -1 with an error set.
int64_t readGrid(const Plan &plan, PyObject *const *args, int32_t *grid) {
  int64_t programs = 1;
  for (Py_ssize_t axis = kGridX; axis <= kGridZ; ++axis) {
    int overflow = 0;
    long long size = -1;
    PyObject *number = PyNumber_Index(args[axis]);
    if (number) {
      size = PyLong_AsLongLongAndOverflow(number, &overflow);
      Py_DECREF(number);
    }
    if (!number || overflow || size < 0 || size > INT32_MAX) {
      PyErr_Clear();
      raise("raise_grid_error", Py_BuildValue("(OOOO)", plan.signature.kernel(),
                                              args[0], args[1], args[2]));
      return -1;
    }
    grid[axis] = int32_t(size);
    if (__builtin_mul_overflow(programs, int64_t(size), &programs)) {
      raise("raise_grid_error", Py_BuildValue("(OOOO)", plan.signature.kernel(),
                                              args[0], args[1], args[2]));
      return -1;
    }
  }
  return programs;
}

/// Calls a launch hook, if there is one. Triton's chains are never None, so an
/// empty chain (its list `calls`) is told apart from a hook here.
bool callHook(PyObject *hook, PyObject *launchMetadata) {
  if (hook == Py_None)
    return true;
  static PyObject *const calls = PyUnicode_InternFromString("calls");
  PyObject *list = PyObject_GetAttr(hook, calls);
  bool empty = list && PyList_CheckExact(list) && PyList_GET_SIZE(list) == 0;
  Py_XDECREF(list);
  if (empty)
    return true;
  PyErr_Clear();
  PyObject *result = PyObject_CallOneArg(hook, launchMetadata);
  Py_XDECREF(result);
  return result != nullptr;
}

bool runKernel(Plan &plan, Job &job) {
  bool ok;
  std::atomic<const char *> assertion{nullptr};
  job.failedAssertion = &assertion;
  if (plan.progress == Progress::Independent &&
      double(plan.cost.nsPerProgram()) * double(job.programs) < kKeepLockNs &&
      plan.cost.nsPerProgram() != 0 &&
      !(job.kernel.hasAtomics && mustAtomicsWait())) {
    ok = run(job, plan.cost);
  } else {
    Py_BEGIN_ALLOW_THREADS ok = run(job, plan.cost);
    Py_END_ALLOW_THREADS
  }
  if (!ok)
    PyErr_NoMemory();
  else if (const char *message = assertion.load(std::memory_order_acquire))
    return raise("raise_assertion_error",
                 Py_BuildValue("(Os)", plan.signature.kernel(), message));
  return ok;
}

/// The slots of one launch, on the stack where they fit.
class Slots {
public:
  explicit Slots(size_t count) {
    if (count > kInlineSlots)
      heap.reset(new uint64_t[count]);
  }
  uint64_t *data() { return heap ? heap.get() : inlined; }
  const uint64_t *data() const { return heap ? heap.get() : inlined; }

private:
  uint64_t inlined[kInlineSlots];
  std::unique_ptr<uint64_t[]> heap;
};

/// Refuses a cooperative launch of more programs than can run together.
bool canRunTogether(const Plan &plan, int64_t programs) {
  if (plan.progress != Progress::Cooperative || programs <= kMaxTogether)
    return true;
  return raise("raise_cooperative_error",
               Py_BuildValue("(OLL)", plan.signature.kernel(),
                             static_cast<long long>(programs),
                             static_cast<long long>(kMaxTogether)));
}

bool start(Plan &plan, const KernelObject *kernel, const uint64_t *slots,
           const int32_t *grid, int64_t programs) {
  if (!kernel->functions.entry)
    return raise("raise_load_error",
                 Py_BuildValue("(Os)", plan.signature.kernel(),
                               "the kernel has been unloaded"));
  Job job{kernel->functions, slots,        grid, programs,
          plan.scratchBytes, plan.progress};
  return runKernel(plan, job);
}

/// Hands the packed arguments to a driver of another device.
bool startElsewhere(PyObject *function, const Slots &slots, size_t count,
                    const int32_t *grid) {
  PyObject *result = PyObject_CallFunction(
      function, "y#(iii)", reinterpret_cast<const char *>(slots.data()),
      Py_ssize_t(count * sizeof(uint64_t)), grid[0], grid[1], grid[2]);
  Py_XDECREF(result);
  return result != nullptr;
}

bool startAnywhere(Plan &plan, PyObject *function, const Slots &slots,
                   const int32_t *grid, int64_t programs) {
  if (Py_TYPE(function) != kernelType)
    return startElsewhere(function, slots, plan.signature.numSlots(), grid);
  return start(plan, reinterpret_cast<KernelObject *>(function), slots.data(),
               grid, programs);
}

bool launch(Plan &plan, PyObject *function, PyObject *const *args,
            size_t numArgs) {
  size_t count = numArgs - kFirstArgument;
  if (count != plan.signature.numParams())
    return raise("raise_count_error",
                 Py_BuildValue("(Onn)", plan.signature.kernel(),
                               Py_ssize_t(plan.signature.numParams()),
                               Py_ssize_t(count)));
  int32_t grid[3];
  int64_t programs = readGrid(plan, args, grid);
  if (programs < 0)
    return false;
  Slots slots(plan.signature.numSlots());
  if (!plan.signature.pack(args + kFirstArgument, nullptr, count, slots.data()))
    return false;
  if (programs == 0)
    return true;
  // A hook may unload the kernel: its entry is read after it.
  return canRunTogether(plan, programs) &&
         callHook(args[kEnterHook], args[kLaunchMetadata]) &&
         startAnywhere(plan, function, slots, grid, programs) &&
         callHook(args[kExitHook], args[kLaunchMetadata]);
}

PyObject *launcherCall(PyObject *object, PyObject *const *args, size_t flags,
                       PyObject *keywords) {
  auto *self = reinterpret_cast<LauncherObject *>(object);
  auto count = size_t(PyVectorcall_NARGS(flags));
  if (count < kFirstArgument || (keywords && PyTuple_GET_SIZE(keywords) > 0)) {
    PyErr_SetString(PyExc_TypeError,
                    "a launcher takes grid_x, grid_y, grid_z, stream, "
                    "function, packed_metadata, launch_metadata, enter_hook, "
                    "exit_hook and the kernel's arguments, all by position");
    return nullptr;
  }
  PyObject *function = args[kFunction];
  if (Py_TYPE(function) != kernelType && !PyCallable_Check(function)) {
    PyErr_SetString(PyExc_TypeError, "the function of a launch must be a "
                                     "seagrove Kernel, or take (slots, grid)");
    return nullptr;
  }
  // The kernel stays loaded while it runs, whatever a hook drops.
  Py_INCREF(function);
  bool ok = launch(*self->plan, function, args, count);
  Py_DECREF(function);
  if (!ok)
    return nullptr;
  Py_RETURN_NONE;
}

PyObject *launcherNew(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
  static const char *keywords[] = {"kernel_name",   "names",    "types",
                                   "scratch_bytes", "progress", nullptr};
  PyObject *kernelName, *names, *types;
  long long scratchBytes = 0;
  int progress = 0;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "UO!O!L|i:Launcher",
                                   const_cast<char **>(keywords), &kernelName,
                                   &PyTuple_Type, &names, &PyTuple_Type, &types,
                                   &scratchBytes, &progress))
    return nullptr;
  if (progress < 0 || progress > int(Progress::Cooperative)) {
    PyErr_SetString(PyExc_ValueError, "progress must be 0, 1 or 2");
    return nullptr;
  }
  auto plan = std::make_unique<Plan>();
  plan->scratchBytes = scratchBytes;
  plan->progress = Progress(progress);
  if (!plan->signature.parse(kernelName, names, types))
    return nullptr;
  auto *self = reinterpret_cast<LauncherObject *>(type->tp_alloc(type, 0));
  if (!self)
    return nullptr;
  self->vectorcall = launcherCall;
  self->plan = plan.release();
  adoptLoadedRuntime();
  return reinterpret_cast<PyObject *>(self);
}

void launcherDealloc(PyObject *object) {
  PyTypeObject *type = Py_TYPE(object);
  delete reinterpret_cast<LauncherObject *>(object)->plan;
  type->tp_free(object);
  Py_DECREF(type);
}

PyMemberDef launcherMembers[] = {{"__vectorcalloffset__", T_PYSSIZET,
                                  offsetof(LauncherObject, vectorcall),
                                  READONLY, nullptr},
                                 {}};

PyType_Slot launcherSlots[] = {
    {Py_tp_new, reinterpret_cast<void *>(launcherNew)},
    {Py_tp_dealloc, reinterpret_cast<void *>(launcherDealloc)},
    {Py_tp_call, reinterpret_cast<void *>(PyVectorcall_Call)},
    {Py_tp_members, launcherMembers},
    {Py_tp_doc,
     const_cast<char *>(
         "Launcher(kernel_name, names, types, scratch_bytes, progress=0)\n"
         "--\n\n"
         "Starts one compiled kernel; called as Triton calls it. A function\n"
         "that is no Kernel is called with the packed arguments, 8 bytes\n"
         "each, and the grid.")},
    {}};

PyType_Spec launcherSpec = {
    "seagrove._seagrove.Launcher", sizeof(LauncherObject), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL, launcherSlots};

} // namespace

bool canLaunchPrepared(PyObject *launcher, PyObject *function, size_t count) {
  return Py_TYPE(launcher) == launcherType && Py_TYPE(function) == kernelType &&
         reinterpret_cast<LauncherObject *>(launcher)
                 ->plan->signature.numParams() == count;
}

bool launchPrepared(PyObject *launcher, PyObject *function,
                    PyObject *const *args, const uint64_t *addresses,
                    size_t count, const int32_t *grid) {
  Plan &plan = *reinterpret_cast<LauncherObject *>(launcher)->plan;
  int64_t programs = int64_t(grid[0]);
  if (__builtin_mul_overflow(programs, int64_t(grid[1]), &programs) ||
      __builtin_mul_overflow(programs, int64_t(grid[2]), &programs))
    return raise("raise_grid_error",
                 Py_BuildValue("(Oiii)", plan.signature.kernel(), grid[0],
                               grid[1], grid[2]));
  Slots slots(plan.signature.numSlots());
  if (!plan.signature.pack(args, addresses, count, slots.data()))
    return false;
  return programs == 0 ||
         (canRunTogether(plan, programs) &&
          start(plan, reinterpret_cast<KernelObject *>(function), slots.data(),
                grid, programs));
}

bool addTypes(PyObject *module) {
  if (!initArguments())
    return false;
  PyObject *kernel = PyType_FromSpec(&kernelSpec);
  PyObject *launcher = PyType_FromSpec(&launcherSpec);
  if (!kernel || !launcher)
    return false;
  kernelType = reinterpret_cast<PyTypeObject *>(kernel);
  launcherType = reinterpret_cast<PyTypeObject *>(launcher);
  return PyModule_AddObjectRef(module, "Kernel", kernel) == 0 &&
         PyModule_AddObjectRef(module, "Launcher", launcher) == 0;
}

} // namespace seagrove::launch
