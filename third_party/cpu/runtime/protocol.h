//===- protocol.h - what a host and a worker say ----------------*- C++ -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A message is a header and `length` bytes. The host asks, the worker answers
// each request with one Ok, Error, Assertion or Fault; any number of Text
// messages may come before it. All numbers are little endian. The other side
// is python/seagrove/runtime/remote/protocol.py, the description
// docs/emulated-devices.md.
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_CPU_RUNTIME_PROTOCOL_H
#define SEAGROVE_CPU_RUNTIME_PROTOCOL_H

#include <cstdint>

namespace seagrove::worker {

/// Changes whenever a message does.
constexpr uint32_t kProtocolVersion = 1;

enum class Kind : uint32_t {
  // From the host.
  Load = 1,   // LoadRequest, symbol, image         -> Ok: u64 handle
  Unload = 2, // u64 handle                         -> Ok
  Launch = 3, // LaunchRequest, u64 slots[]         -> Ok: u64 nanoseconds
  Read = 4,   // u64 address, u64 size              -> Ok: the bytes
  Write = 5,  // u64 address, the bytes             -> Ok
  // From the worker.
  Hello = 0x80,     // HelloReply, name of the architecture; once, at the start
  Ok = 0x81,        // the result
  Error = 0x82,     // text; the worker goes on
  Assertion = 0x83, // text; the worker goes on
  Fault = 0x84,     // FaultReply; the worker ends
  Text = 0x85,      // what a program printed
};

struct Header {
  Kind kind;
  uint32_t sequence;
  uint64_t length;
};

struct HelloReply {
  uint32_t version;
  uint32_t vectorBits; // 0 where the length is not a property of the machine
  uint64_t memoryAddress;
  uint64_t memoryBytes;
};

struct LoadRequest {
  uint64_t symbolBytes;
};

struct LaunchRequest {
  uint64_t handle;
  int64_t programs;
  int64_t scratchBytes;
  int32_t grid[3];
  uint32_t progress;
  uint32_t threads; // 0: as many as the worker has cores
  uint32_t slots;
};

struct FaultReply {
  uint32_t signal;
  uint32_t reserved;
  uint64_t address;
};

} // namespace seagrove::worker

#endif // SEAGROVE_CPU_RUNTIME_PROTOCOL_H
