//===- Api.h - what the Python module may see of the compiler -------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The narrow waist between the compiler and its users: text in, bytes out.
// No MLIR or LLVM type appears here, so that the binding code compiles in a
// second and an ABI change of MLIR stays behind this header.
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_API_H
#define SEAGROVE_API_H

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace seagrove::api {

/// One message about the user's program, located in the user's source.
struct Diagnostic {
  enum class Severity { Error, Warning, Remark };
  Severity severity = Severity::Error;
  std::string file;
  unsigned line = 0;
  unsigned column = 0;
  /// Stable code such as "SG0123"; empty where none was given.
  std::string code;
  std::string message;
  std::vector<std::string> notes;
};

/// The chip that code is made for, as data. `attributes` holds every other
/// property of the description ("l1_bytes", "matrix_units", ...), as written in
/// the backend's target file.
struct Target {
  std::string triple;
  std::string cpu;
  std::string features;
  unsigned vectorBits = 128;
  /// Registers are as long as a power of two, known at run time only, times
  /// `scalableUnitBits`: at least `vectorBits` and at most `scalableMaxBits`. A
  /// vector may take up to `registerGroup` of them.
  bool scalable = false;
  unsigned scalableUnitBits = 128;
  unsigned scalableMaxBits = 2048;
  unsigned registerGroup = 1;
  unsigned vectorRegisters = 16;
  bool fma = false;
  int64_t l1Bytes = 32 << 10;
  int64_t l2Bytes = 512 << 10;
  /// The largest cache, which may be shared by cores.
  int64_t lastLevelBytes = 32 << 20;
  std::vector<std::pair<std::string, std::string>> attributes;
};

struct CompileOptions {
  /// 0 to 3; 0 keeps the code readable and is the reference of the oracles.
  unsigned optLevel = 3;
  /// Allows contracting a*b+c into one rounding.
  bool enableFpFusion = true;
  /// One of "ttir", "structured", "tensor", "linalg", "vector", "llvm-dialect",
  /// "llvm", "asm", "obj", "so".
  std::string emit = "so";
  /// A mistake to make on purpose (the pass plant-miscompile), for tests of the
  /// oracles; empty, and so left out, everywhere else.
  std::string plantedMiscompile;
  /// Records the time of each pass.
  bool collectTiming = false;
  /// Records what the passes decided, and why.
  bool collectDecisions = false;
};

/// What a pass chose, located in the user's source; `topic` is one word for the
/// kind of choice, such as "product".
struct Decision {
  std::string file;
  unsigned line = 0;
  unsigned column = 0;
  std::string topic;
  std::string text;
};

struct PassTiming {
  std::string name;
  double milliseconds = 0;
};

struct CompileResult {
  bool ok = false;
  /// The text or the bytes that `CompileOptions::emit` asked for.
  std::string output;
  /// The symbol of the range kernel (see docs/range-kernel.md).
  std::string symbol;
  int64_t scratchBytes = 0;
  /// Whether programs may wait for each other, by a lock or a flag.
  bool waits = false;
  std::vector<Diagnostic> diagnostics;
  std::vector<PassTiming> timings;
  std::vector<Decision> decisions;
};

/// Compiles the TTIR of one kernel. Never throws and never aborts on bad input:
/// failures are in `diagnostics`.
CompileResult compile(const std::string &ttir, const Target &target,
                      const CompileOptions &options);

/// Parses `text`, runs the textual pass pipeline and prints the result.
CompileResult runPasses(const std::string &text, const std::string &pipeline);

/// The names of the LLVM targets that this build can emit code for.
std::vector<std::string> llvmTargets();

/// The host as LLVM names it: triple, CPU and feature string.
Target detectHost();

/// Changes with every build of the compiler; part of each cache key.
std::string buildId();

} // namespace seagrove::api

#endif // SEAGROVE_API_H
