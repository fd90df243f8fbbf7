//===- Guard.cpp - LLVM's fatal errors as return values -------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Guard.h"

#include "llvm/Support/CrashRecoveryContext.h"
#include "llvm/Support/ErrorHandling.h"

#include <mutex>

using namespace llvm;

namespace seagrove::target {

namespace {

thread_local std::string fatalReason;

void onFatalError(void *, const char *reason, bool) {
  fatalReason = reason;
  // Leaves through the guard of this thread; outside of one, LLVM's own way.
  if (CrashRecoveryContext *guard = CrashRecoveryContext::GetCurrent())
    guard->HandleExit(1);
}

/// Crash recovery takes over the process's signal handlers, so it is on only
/// while somebody is inside a guard.
class RecoveryScope {
public:
  RecoveryScope() {
    std::lock_guard<std::mutex> lock(mutex());
    if (users()++ == 0) {
      CrashRecoveryContext::Enable();
      install_fatal_error_handler(onFatalError);
    }
  }
  ~RecoveryScope() {
    std::lock_guard<std::mutex> lock(mutex());
    if (--users() == 0) {
      remove_fatal_error_handler();
      CrashRecoveryContext::Disable();
    }
  }

private:
  static std::mutex &mutex() {
    static std::mutex instance;
    return instance;
  }
  static unsigned &users() {
    static unsigned count = 0;
    return count;
  }
};

} // namespace

bool runGuarded(function_ref<void()> work, std::string &reason) {
  RecoveryScope scope;
  fatalReason.clear();
  CrashRecoveryContext guard;
  if (guard.RunSafely(work))
    return true;
  reason = fatalReason.empty() ? "LLVM crashed" : fatalReason;
  return false;
}

} // namespace seagrove::target
