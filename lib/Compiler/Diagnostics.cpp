//===- Diagnostics.cpp - messages in the user's terms ---------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Diagnostics.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Location.h"
#include "mlir/IR/Remarks.h"
#include "seagrove/Support/Decisions.h"

using namespace mlir;
using namespace seagrove;

/// The place in the user's file that a location goes back to: the innermost
/// one, which for inlined code is the line in the callee.
static FileLineColLoc findFileLocation(Location location) {
  if (auto file = dyn_cast<FileLineColLoc>(location))
    return file;
  if (auto name = dyn_cast<NameLoc>(location))
    return findFileLocation(name.getChildLoc());
  if (auto call = dyn_cast<CallSiteLoc>(location))
    return findFileLocation(call.getCallee());
  if (auto fused = dyn_cast<FusedLoc>(location))
    for (Location part : fused.getLocations())
      if (auto file = findFileLocation(part))
        return file;
  return {};
}

static api::Diagnostic translate(Diagnostic &diagnostic) {
  api::Diagnostic result;
  switch (diagnostic.getSeverity()) {
  case DiagnosticSeverity::Error:
    result.severity = api::Diagnostic::Severity::Error;
    break;
  case DiagnosticSeverity::Warning:
    result.severity = api::Diagnostic::Severity::Warning;
    break;
  default:
    result.severity = api::Diagnostic::Severity::Remark;
  }
  if (auto file = findFileLocation(diagnostic.getLocation())) {
    result.file = file.getFilename().str();
    result.line = file.getLine();
    result.column = file.getColumn();
  }
  std::string text = diagnostic.str();
  StringRef message = text;
  // A code stands at the start, or behind "'op' op ".
  size_t code = message.find("SG0");
  if (code != StringRef::npos && message.size() > code + 7 &&
      message[code + 6] == ':') {
    result.code = message.substr(code, 6).str();
    message = message.substr(code + 7).ltrim();
  }
  result.message = message.str();
  for (Diagnostic &note : diagnostic.getNotes())
    result.notes.push_back(note.str());
  return result;
}

DiagnosticCollector::DiagnosticCollector(MLIRContext *context,
                                         std::vector<api::Diagnostic> &target)
    : handler(context, [&target](Diagnostic &diagnostic) {
        target.push_back(translate(diagnostic));
        return success();
      }) {}

/// Where a decision is shown: as `findFileLocation`, but a function of another
/// file, such as one of Triton's library, counts as the line that calls it.
static FileLineColLoc findLineOfUser(Location location) {
  if (auto name = dyn_cast<NameLoc>(location))
    return findLineOfUser(name.getChildLoc());
  auto call = dyn_cast<CallSiteLoc>(location);
  if (!call)
    return findFileLocation(location);
  auto callee = findLineOfUser(call.getCallee()),
       caller = findLineOfUser(call.getCaller());
  bool same = callee && caller && callee.getFilename() == caller.getFilename();
  return caller && !same ? caller : callee;
}

namespace {
class DecisionCollector : public remark::detail::MLIRRemarkStreamerBase {
public:
  explicit DecisionCollector(std::vector<api::Decision> &target)
      : target(target) {}

  void streamOptimizationRemark(const remark::detail::Remark &remark) override {
    api::Decision decision;
    if (auto file = findLineOfUser(remark.getLocation())) {
      decision.file = file.getFilename().str();
      decision.line = file.getLine();
      decision.column = file.getColumn();
    }
    decision.topic = remark.getRemarkName().str();
    for (const remark::detail::Remark::Arg &part : remark.getArgs())
      decision.text += part.val;
    target.push_back(std::move(decision));
  }

private:
  std::vector<api::Decision> &target;
};
} // namespace

void seagrove::collectDecisions(MLIRContext &context,
                                std::vector<api::Decision> &target) {
  remark::RemarkCategories categories;
  categories.analysis = kDecision.str();
  LogicalResult enabled = remark::enableOptimizationRemarks(
      context, std::make_unique<DecisionCollector>(target),
      std::make_unique<remark::RemarkEmittingPolicyAll>(), categories);
  (void)enabled; // Fails for a regular expression that is none.
}
