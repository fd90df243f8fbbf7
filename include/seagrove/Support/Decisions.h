//===- Decisions.h - what a pass chose, and why -----------------*- C++ -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A pass that chooses says so where it does:
//
//   noteDecision(op, "product", "register tile of {0} x {1}: {2} registers",
//                rows, columns, registers);
//
// `seagrove explain FILE.py::KERNEL` prints it under the user's source line,
// `seagrove-opt --remark-format=emitRemark --remarks-filter=decision` as a
// remark. Where nobody listens, no text is made.
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_SUPPORT_DECISIONS_H
#define SEAGROVE_SUPPORT_DECISIONS_H

#include "mlir/IR/Operation.h"
#include "mlir/IR/Remarks.h"

namespace seagrove {

/// The category of decisions among MLIR's remarks.
inline constexpr llvm::StringLiteral kDecision = "decision";

/// Says that a pass decided something about what stands at `loc` in the user's
/// source. `topic` is one word for what kind of choice it was ("product",
/// "stores", "loop", ...); `format` and `parts`, as llvm::formatv takes them,
/// say in the user's terms what was chosen and why.
template <typename... Parts>
void noteDecision(mlir::Location loc, llvm::StringRef topic, const char *format,
                  Parts &&...parts) {
  if (LLVM_LIKELY(!loc->getContext()->getRemarkEngine()))
    return;
  std::string text = llvm::formatv(format, std::forward<Parts>(parts)...).str();
  mlir::remark::analysis(
      loc, mlir::remark::RemarkOpts::name(topic).category(kDecision))
      << llvm::StringRef(text);
}

template <typename... Parts>
void noteDecision(mlir::Operation *op, llvm::StringRef topic,
                  const char *format, Parts &&...parts) {
  noteDecision(op->getLoc(), topic, format, std::forward<Parts>(parts)...);
}

} // namespace seagrove

#endif // SEAGROVE_SUPPORT_DECISIONS_H
