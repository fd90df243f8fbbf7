#include "seagrove/Transforms/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
namespace seagrove {
#define GEN_PASS_DEF_EXPANDMATH
#include "seagrove/Transforms/Passes.h.inc"
} // namespace seagrove
namespace {
struct ExpandMath : public seagrove::impl::ExpandMathBase<ExpandMath> {
  using ExpandMathBase::ExpandMathBase;
  void runOnOperation() override {}
};
} // namespace
