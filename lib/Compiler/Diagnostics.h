//===- Diagnostics.h - messages in the user's terms -------------*- C++ -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_LIB_COMPILER_DIAGNOSTICS_H
#define SEAGROVE_LIB_COMPILER_DIAGNOSTICS_H

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "seagrove/Api.h"

namespace seagrove {

/// Collects the diagnostics of a context for as long as it lives.
class DiagnosticCollector {
public:
  DiagnosticCollector(mlir::MLIRContext *context,
                      std::vector<api::Diagnostic> &target);

private:
  mlir::ScopedDiagnosticHandler handler;
};

/// Collects what passes decide in `context` from now on (Decisions.h); `target`
/// outlives the context.
void collectDecisions(mlir::MLIRContext &context,
                      std::vector<api::Decision> &target);

} // namespace seagrove

#endif // SEAGROVE_LIB_COMPILER_DIAGNOSTICS_H
