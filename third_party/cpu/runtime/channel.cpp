//===- channel.cpp - messages over a socket -------------------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "channel.h"

#include <cerrno>
#include <cstring>
#include <poll.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace seagrove::worker {

Channel *theChannel = nullptr;

void Channel::readAll(void *bytes, size_t size) {
  auto *next = static_cast<uint8_t *>(bytes);
  while (size > 0) {
    ssize_t count = ::read(socket, next, size);
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      _exit(0);
    next += count;
    size -= size_t(count);
  }
}

bool Channel::writeAll(const void *bytes, size_t size) {
  auto *next = static_cast<const uint8_t *>(bytes);
  while (size > 0) {
    ssize_t count = ::send(socket, next, size, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      return false;
    next += count;
    size -= size_t(count);
  }
  return true;
}

Header Channel::receive(std::vector<uint8_t> &body) {
  Header header;
  readAll(&header, sizeof(header));
  body.resize(header.length);
  readAll(body.data(), body.size());
  sequence = header.sequence;
  return header;
}

void Channel::send(Kind kind, const void *body, size_t length) {
  std::lock_guard<std::mutex> lock(mutex);
  sendFromHandler(kind, body, length);
}

void Channel::sendFromHandler(Kind kind, const void *body, size_t length) {
  Header header{kind, sequence, length};
  if (!writeAll(&header, sizeof(header)) || !writeAll(body, length))
    _exit(0);
}

void Channel::watch() {
  std::thread([this] {
    for (;;) {
      pollfd entry{socket, POLLRDHUP, 0};
      if (poll(&entry, 1, -1) < 0 && errno == EINTR)
        continue;
      if (entry.revents & (POLLRDHUP | POLLHUP | POLLERR))
        _exit(0);
    }
  }).detach();
}

} // namespace seagrove::worker
