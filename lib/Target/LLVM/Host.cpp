//===- Host.cpp - the machine that we run on ------------------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Machine.h"

#include "seagrove/Target/LLVM/Compile.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"

namespace seagrove::api {

/// The features in the order of their names, so that the same machine always
/// gives the same string: it is part of cache keys.
static std::string hostFeatures() {
  std::vector<std::string> features;
  for (const auto &feature : llvm::sys::getHostCPUFeatures())
    features.push_back((feature.second ? "+" : "-") + feature.first().str());
  llvm::sort(features, [](const std::string &a, const std::string &b) {
    return a.compare(1, std::string::npos, b, 1, std::string::npos) < 0;
  });
  return llvm::join(features, ",");
}

Target detectHost() {
  Target host;
  host.triple = llvm::Triple::normalize(llvm::sys::getProcessTriple());
  host.cpu = llvm::sys::getHostCPUName().str();
  host.features = hostFeatures();
  host.fma = target::queryNativeOps(host).fma;
  return host;
}

std::vector<std::string> llvmTargets() {
  target::initializeTargets();
  std::vector<std::string> names;
  for (const llvm::Target &backend : llvm::TargetRegistry::targets())
    names.push_back(backend.getName());
  llvm::sort(names);
  return names;
}

} // namespace seagrove::api
