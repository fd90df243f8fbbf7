//===- channel.h - messages over a socket -----------------------*- C++ -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_CPU_RUNTIME_CHANNEL_H
#define SEAGROVE_CPU_RUNTIME_CHANNEL_H

#include "protocol.h"

#include <cstddef>
#include <mutex>
#include <string>
#include <vector>

namespace seagrove::worker {

/// The connection to the host. A host that is gone ends the worker.
class Channel {
public:
  explicit Channel(int socket) : socket(socket) {}

  /// Waits for the next request; its body stays valid until the next call.
  Header receive(std::vector<uint8_t> &body);

  /// Sends one message, from any thread.
  void send(Kind kind, const void *body, size_t length);
  void send(Kind kind, const std::string &text) {
    send(kind, text.data(), text.size());
  }

  /// The same from within a signal handler: takes no lock and may follow half
  /// of a message of an interrupted thread.
  void sendFromHandler(Kind kind, const void *body, size_t length);

  /// Ends the process when the host has closed its side, whatever a kernel is
  /// doing at that time.
  void watch();

private:
  void readAll(void *bytes, size_t size);
  bool writeAll(const void *bytes, size_t size);

  int socket;
  uint32_t sequence = 0;
  std::mutex mutex;
};

/// The one connection of this process, for what kernels print.
extern Channel *theChannel;

} // namespace seagrove::worker

#endif // SEAGROVE_CPU_RUNTIME_CHANNEL_H
