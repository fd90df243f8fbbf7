//===- Link.cpp - objects to shared objects, in this process --------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Link.h"

#include "Guard.h"
#include "Machine.h"

#include "lld/Common/Driver.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Object/ObjectFile.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Process.h"

#include <map>
#include <mutex>

#ifdef __linux__
#include <cerrno>
#include <fcntl.h>
#include <sys/mman.h>
#include <thread>
#include <unistd.h>
#endif

LLD_HAS_DRIVER(elf)

using namespace llvm;

namespace seagrove::target {

namespace {

/// A file that lld can read by name: in memory where the system has that,
/// otherwise in the temporary folder. Gone with the object.
class InputFile {
public:
  explicit InputFile(StringRef contents) {
#ifdef __linux__
    descriptor = memfd_create("seagrove", MFD_CLOEXEC);
    if (descriptor >= 0)
      path = "/proc/self/fd/" + std::to_string(descriptor);
#endif
    if (descriptor < 0) {
      SmallString<128> name;
      if (sys::fs::createTemporaryFile("seagrove", "o", descriptor, name))
        return;
      path = std::string(name);
      onDisk = true;
    }
    raw_fd_ostream stream(descriptor, /*shouldClose=*/false,
                          /*unbuffered=*/true);
    stream << contents;
    written = !stream.has_error();
    stream.clear_error();
  }
  ~InputFile() {
    if (descriptor >= 0)
      sys::Process::SafelyCloseFileDescriptor(descriptor);
    if (onDisk)
      sys::fs::remove(path);
  }
  InputFile(const InputFile &) = delete;
  InputFile &operator=(const InputFile &) = delete;

  bool valid() const { return written; }
  const std::string &name() const { return path; }

private:
  int descriptor = -1;
  bool onDisk = false;
  bool written = false;
  std::string path;
};

/// Where lld writes its result. lld replaces an ordinary file by way of a new
/// one beside it, which no file in memory can follow; to a pipe it writes
/// straight. Without pipes in the file system it is a temporary file.
class OutputFile {
public:
#ifdef __linux__
  OutputFile() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
      return;
    writeEnd = ends[1];
    path = "/proc/self/fd/" + std::to_string(writeEnd);
    reader = std::thread([this, readEnd = ends[0]] {
      char chunk[1 << 14];
      for (;;) {
        ssize_t count = ::read(readEnd, chunk, sizeof(chunk));
        if (count > 0)
          contents.append(chunk, count);
        else if (count == 0 || errno != EINTR)
          break;
      }
      ::close(readEnd);
    });
  }
  ~OutputFile() { finish(); }
  bool valid() const { return writeEnd >= 0; }

  /// The bytes written; nothing may be written afterwards.
  bool take(std::string &bytes) {
    finish();
    bytes = std::move(contents);
    return !bytes.empty();
  }

private:
  void finish() {
    if (writeEnd >= 0)
      ::close(writeEnd);
    writeEnd = -1;
    if (reader.joinable())
      reader.join();
  }

  int writeEnd = -1;
  std::thread reader;
  std::string contents;
#else
  OutputFile() {
    SmallString<128> name;
    if (!sys::fs::createTemporaryFile("seagrove", "so", name))
      path = std::string(name);
  }
  ~OutputFile() {
    if (valid())
      sys::fs::remove(path);
  }
  bool valid() const { return !path.empty(); }

  bool take(std::string &bytes) {
    auto buffer = MemoryBuffer::getFile(path, /*IsText=*/false,
                                        /*RequiresNullTerminator=*/false);
    if (!buffer)
      return false;
    bytes = (*buffer)->getBuffer().str();
    return true;
  }

private:
#endif
public:
  OutputFile(const OutputFile &) = delete;
  OutputFile &operator=(const OutputFile &) = delete;
  const std::string &name() const { return path; }

private:
  std::string path;
};

/// The C library in two parts, as code generators of these systems know it.
constexpr const char *kLibraries[] = {"libm.so.6", "libc.so.6"};

/// Runs lld on `inputs`; lld keeps global state, hence one at a time.
bool runLinker(ArrayRef<std::string> arguments, std::string &error) {
  static std::mutex mutex;
  static bool usable = true;
  std::lock_guard<std::mutex> lock(mutex);
  if (!usable) {
    error = "the linker crashed earlier in this process";
    return false;
  }

  std::vector<const char *> argv{"ld.lld"};
  for (const std::string &argument : arguments)
    argv.push_back(argument.c_str());
  raw_string_ostream errors(error);
  lld::Result result{1, true};
  std::string reason;
  if (!runGuarded(
          [&] {
            result = lld::lldMain(argv, nulls(), errors,
                                  {{lld::Gnu, &lld::elf::link}});
          },
          reason)) {
    usable = false;
    error += reason;
    return false;
  }
  usable = result.canRunAgain;
  return result.retCode == 0;
}

bool link(StringRef object, ArrayRef<std::string> extraArguments,
          std::string &output, std::string &error) {
  InputFile input(object);
  OutputFile result;
  if (!input.valid() || !result.valid()) {
    error = "cannot create a file for the linker";
    return false;
  }
  // Small and quick to load: no build id, no debug sections, one segment
  // layout without padding between code and data.
  std::vector<std::string> arguments{
      "-shared",         "--threads=1", "-O0",           "--hash-style=gnu",
      "--build-id=none", "--strip-all", "--gc-sections", "-z",
      "noseparate-code", "-o",          result.name(),   input.name()};
  arguments.insert(arguments.end(), extraArguments.begin(),
                   extraArguments.end());
  if (!runLinker(arguments, error))
    return false;
  if (result.take(output))
    return true;
  error = "cannot read the linker's output";
  return false;
}

/// A shared object called `name` without contents, standing for the library of
/// that name on the machine where the kernel will run.
bool makeStub(StringRef name, TargetMachine &machine, std::string &stub,
              std::string &error) {
  static std::mutex mutex;
  static std::map<std::string, std::string> stubs;
  std::string key = machine.getTargetTriple().str() + ' ' + name.str();
  std::lock_guard<std::mutex> lock(mutex);
  auto found = stubs.find(key);
  if (found != stubs.end()) {
    stub = found->second;
    return true;
  }

  LLVMContext context;
  Module module("stub", context);
  module.setTargetTriple(machine.getTargetTriple());
  module.setDataLayout(machine.createDataLayout());
  SmallVector<char, 0> object;
  raw_svector_ostream stream(object);
  legacy::PassManager passes;
  if (!addEmitPasses(machine, passes, stream, CodeGenFileType::ObjectFile)) {
    error = "the target emits no object file";
    return false;
  }
  passes.run(module);
  if (!link({object.data(), object.size()}, {"-soname", name.str()}, stub,
            error))
    return false;
  stubs[key] = stub;
  return true;
}

} // namespace

bool hasOpenSymbols(StringRef object) {
  auto file = object::ObjectFile::createObjectFile({object, "kernel"});
  if (!file) {
    consumeError(file.takeError());
    return true;
  }
  return any_of((*file)->symbols(), [](const object::SymbolRef &symbol) {
    Expected<uint32_t> flags = symbol.getFlags();
    Expected<StringRef> name = symbol.getName();
    bool open = flags && name && !name->empty() &&
                *name != "_GLOBAL_OFFSET_TABLE_" &&
                (*flags & object::SymbolRef::SF_Undefined);
    if (!flags)
      consumeError(flags.takeError());
    if (!name)
      consumeError(name.takeError());
    return open;
  });
}

bool linkSharedObject(StringRef object, TargetMachine &machine,
                      std::string &output, std::string &error) {
  if (!machine.getTargetTriple().isOSBinFormatELF()) {
    error = "shared objects can be made for ELF systems only, not for '" +
            machine.getTargetTriple().str() + "'";
    return false;
  }
  if (!hasOpenSymbols(object))
    return link(object, {}, output, error);

  std::vector<std::unique_ptr<InputFile>> files;
  std::vector<std::string> arguments{"--no-as-needed"};
  for (const char *library : kLibraries) {
    std::string stub;
    if (!makeStub(library, machine, stub, error))
      return false;
    auto file = std::make_unique<InputFile>(stub);
    if (!file->valid()) {
      error = "cannot create a file for the linker";
      return false;
    }
    arguments.push_back(file->name());
    files.push_back(std::move(file));
  }
  return link(object, arguments, output, error);
}

} // namespace seagrove::target
