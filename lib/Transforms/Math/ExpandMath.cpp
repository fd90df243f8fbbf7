//===- ExpandMath.cpp - math operations to arithmetic ---------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Functions.h"
#include "Libm.h"
#include "SmallFloats.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

namespace seagrove {
#define GEN_PASS_DEF_EXPANDMATH
#include "seagrove/Transforms/Passes.h.inc"
} // namespace seagrove

using namespace mlir;
using namespace seagrove::math_expansion;

namespace {

/// How the operations of one operand are computed: an expansion per format, or
/// else the C library's function.
struct UnaryRule {
  llvm::StringLiteral op;
  Flt (*f32)(Flt);
  Flt (*f64)(Flt);
  llvm::StringLiteral libm;
};

constexpr UnaryRule kUnaryRules[] = {
    {"math.acos", acos, nullptr, "acos"},
    {"math.acosh", acosh, nullptr, "acosh"},
    {"math.asin", asin, nullptr, "asin"},
    {"math.asinh", asinh, nullptr, "asinh"},
    {"math.atan", atan, nullptr, "atan"},
    {"math.atanh", atanh, nullptr, "atanh"},
    {"math.cbrt", cbrt, nullptr, "cbrt"},
    {"math.cosh", cosh, nullptr, "cosh"},
    {"math.erf", erf, nullptr, "erf"},
    {"math.erfc", erfc, nullptr, "erfc"},
    {"math.exp", exp, exp, "exp"},
    {"math.exp2", exp2, exp2, "exp2"},
    {"math.expm1", expm1, nullptr, "expm1"},
    {"math.log", log, log, "log"},
    {"math.log10", log10, log10, "log10"},
    {"math.log1p", log1p, nullptr, "log1p"},
    {"math.log2", log2, log2, "log2"},
    {"math.rsqrt", rsqrt, rsqrt, ""},
    {"math.sinh", sinh, nullptr, "sinh"},
    {"math.tan", tan, nullptr, "tan"},
    {"math.tanh", tanh, nullptr, "tanh"},
};

/// For targets that have no instruction for these.
constexpr UnaryRule kRoundingRules[] = {
    {"math.ceil", ceil, ceil, "ceil"},
    {"math.floor", floor, floor, "floor"},
    {"math.roundeven", roundEven, roundEven, "rint"},
    {"math.trunc", trunc, trunc, "trunc"},
};

template <size_t N>
const UnaryRule *findRule(const UnaryRule (&rules)[N], Operation *op) {
  StringRef name = op->getName().getStringRef();
  for (const UnaryRule &rule : rules)
    if (rule.op == name)
      return &rule;
  return nullptr;
}

/// How many operations are expanded side by side: the latency of a
/// multiplication times two units of them, over the registers that each needs.
constexpr size_t kSideBySide = 4;

/// Expands the operations of one module.
class Expander {
public:
  Expander(ModuleOp module, const seagrove::ExpandMathOptions &options)
      : options(options), symbols(module) {}

  void expandAll() {
    SmallVector<Operation *> operations;
    symbols.getOp()->walk([&](Operation *op) {
      if (isa<math::MathDialect>(op->getDialect()))
        operations.push_back(op);
    });
    for (size_t at = 0; at < operations.size(); ++at)
      if (operations[at])
        expandTogether(takeGroup(operations, at));
    legalizeSmallFloats(symbols.getOp(), options, constants);
    if (!options.truncating)
      expandConversionsToIntegers(symbols.getOp(), options, constants);
  }

private:
  /// The values of `op` in terms of other operations; none if it stays.
  using Results = SmallVector<Value, 2>;

  /// The operation at `at` and those after it that can be computed at the place
  /// of the last of them; takes them from the list.
  static SmallVector<Operation *>
  takeGroup(MutableArrayRef<Operation *> operations, size_t at) {
    SmallVector<Operation *> group = {operations[at]};
    Operation *first = operations[at];
    for (Operation *&op : operations.drop_front(at + 1)) {
      if (group.size() == kSideBySide ||
          (op && op->getBlock() != first->getBlock()))
        break;
      if (!op || op->getName() != first->getName() ||
          op->getAttrDictionary() != first->getAttrDictionary() ||
          op->getOperandTypes() != first->getOperandTypes())
        continue;
      if (llvm::any_of(group, [&](Operation *member) {
            return llvm::any_of(member->getUsers(), [&](Operation *user) {
              Operation *around = op->getBlock()->findAncestorOpInBlock(*user);
              return around && (around == op || around->isBeforeInBlock(op));
            });
          }))
        break;
      group.push_back(op);
      op = nullptr;
    }
    operations[at] = nullptr;
    return group;
  }

  /// Expands operations of one kind side by side, one step of each after the
  /// other: a processor sees so many operations ahead, and those of one
  /// expansion wait for each other.
  void expandTogether(ArrayRef<Operation *> group) {
    Operation *last = group.back(), *after = last->getNextNode();
    for (Operation *op : group.drop_back())
      op->moveBefore(last);
    SmallVector<SmallVector<Operation *>> steps;
    for (auto [index, op] : llvm::enumerate(group)) {
      Operation *before = op->getPrevNode();
      Block *block = op->getBlock();
      Operation *end = index + 1 < group.size() ? group[index + 1] : after;
      expand(op);
      SmallVector<Operation *> &own = steps.emplace_back();
      for (Operation *step = before ? before->getNextNode() : &block->front();
           step != end; step = step->getNextNode())
        own.push_back(step);
    }
    auto alike = [&](ArrayRef<Operation *> own) {
      return llvm::equal(own, steps.front(), [](Operation *a, Operation *b) {
        return a->getName() == b->getName();
      });
    };
    if (!after || !llvm::all_of(steps, alike))
      return;
    for (size_t number = 0; number < steps.front().size(); ++number)
      for (ArrayRef<Operation *> own : steps)
        own[number]->moveBefore(after);
  }

  void expand(Operation *op) {
    ImplicitLocOpBuilder b(op->getLoc(), op);
    ConstantCache &cache =
        constants[op->getParentOfType<FunctionOpInterface>()];
    Type type = op->getOperand(0).getType();
    Type element = getElementTypeOrSelf(type);
    Results results;
    if (auto power = dyn_cast<math::IPowIOp>(op)) {
      results = {powerOfInteger(b, power)};
    } else if (element.isF32() || element.isF64()) {
      MathBuilder m(b, type, options, cache);
      results = expandFloat(op, m);
    } else if (isa<FloatType>(element) &&
               element.getIntOrFloatBitWidth() < 32) {
      results = promote(op, b, cache);
    }
    if (results.empty())
      return;
    op->replaceAllUsesWith(results);
    op->erase();
  }

  /// Computes an operation on a narrow format in f32.
  Results promote(Operation *op, ImplicitLocOpBuilder &b,
                  ConstantCache &cache) {
    if (isNativeFormat(getElementTypeOrSelf(op->getOperand(0)), options) &&
        isa<math::AbsFOp, math::CopySignOp, math::FmaOp, math::SqrtOp,
            math::FloorOp, math::CeilOp, math::TruncOp, math::RoundEvenOp>(op))
      return {};
    MathBuilder narrow(b, op->getOperand(0).getType(), options, cache);
    MathBuilder m = narrow.withElement(b.getF32Type());
    IRMapping mapping;
    for (Value operand : op->getOperands())
      if (isa<FloatType>(getElementTypeOrSelf(operand)))
        mapping.map(operand, convert({{&m, operand}}, m).value);
    Operation *wide = b.clone(*op, mapping);
    Results results;
    for (OpResult result : wide->getResults()) {
      bool isFloat = isa<FloatType>(getElementTypeOrSelf(result));
      Type original = result.getType();
      if (isFloat)
        result.setType(m.floatType());
      results.push_back(
          isFloat ? arith::TruncFOp::create(b, original, result).getResult()
                  : Value(result));
    }
    expand(wide);
    return results;
  }

  Results expandFloat(Operation *op, MathBuilder &m) {
    Flt x = m.flt(op->getOperand(0));
    if (op->hasAttr(seagrove::kNeverPositive) && isa<math::ExpOp>(op))
      return {expOfNegative(x).value};
    if (op->hasAttr(seagrove::kNeverPositive) && isa<math::Exp2Op>(op))
      return {exp2OfNegative(x).value};
    if (const UnaryRule *rule = findRule(kUnaryRules, op))
      return {apply(*rule, x)};
    if (const UnaryRule *rule = findRule(kRoundingRules, op))
      return options.rounding ? Results{} : Results{apply(*rule, x)};
    if (isa<math::RoundOp>(op))
      return {roundAwayFromZero(x).value};
    if (auto fma = dyn_cast<math::FmaOp>(op))
      return expandFma(fma, m);
    if (isa<math::PowFOp>(op))
      return {binary(pow, "pow", op, m)};
    if (isa<math::Atan2Op>(op))
      return {binary(atan2, "atan2", op, m)};
    if (auto power = dyn_cast<math::FPowIOp>(op))
      return {powerOfFloat(m, power)};
    if (auto clamp = dyn_cast<math::ClampFOp>(op)) {
      Value raised = m.binary<arith::MaximumFOp>(x.value, clamp.getMin());
      return {m.binary<arith::MinimumFOp>(raised, clamp.getMax())};
    }
    if (Results trigonometric = expandTrigonometric(op, x);
        !trigonometric.empty())
      return trigonometric;
    return expandClassification(op, x);
  }

  Value apply(const UnaryRule &rule, Flt x) {
    auto *expansion = x.m->isF64() ? rule.f64 : rule.f32;
    return expansion ? expansion(x).value : libm(rule.libm, x).value;
  }

  Value binary(Flt (*expansion)(Flt, Flt), StringRef name, Operation *op,
               MathBuilder &m) {
    if (m.isF64())
      return callLibm(m.ops(), symbols, name, op->getOperands());
    return expansion(m.flt(op->getOperand(0)), m.flt(op->getOperand(1))).value;
  }

  Flt libm(StringRef name, Flt x) {
    return x.m->flt(callLibm(x.m->ops(), symbols, name, x.value));
  }

  Results expandFma(math::FmaOp op, MathBuilder &m) {
    if (options.fma)
      return {};
    if (m.isF64())
      return {callLibm(m.ops(), symbols, "fma", op->getOperands())};
    return {
        fusedMultiplyAdd(m.flt(op.getA()), m.flt(op.getB()), m.flt(op.getC()))
            .value};
  }

  Results expandTrigonometric(Operation *op, Flt x) {
    bool sin = isa<math::SinOp, math::SincosOp>(op);
    bool cos = isa<math::CosOp, math::SincosOp>(op);
    if (!sin && !cos)
      return {};
    SinCos values = sinCos(
        x, sin, cos, [&](StringRef name, Flt x) { return libm(name, x); });
    Results results;
    if (sin)
      results.push_back(values.sin.value);
    if (cos)
      results.push_back(values.cos.value);
    return results;
  }

  Results expandClassification(Operation *op, Flt x) {
    MathBuilder &m = *x.m;
    if (isa<math::IsNaNOp>(op))
      return {isNaN(x).value};
    if (isa<math::IsInfOp>(op))
      return {equal(abs(x), m.infinity()).value};
    if (isa<math::IsFiniteOp>(op))
      return {(abs(x) < m.infinity()).value};
    if (isa<math::IsNormalOp>(op)) {
      double smallest = m.isF64() ? 0x1p-1022 : 0x1p-126;
      return {((abs(x) < m.infinity()) & (abs(x) >= smallest)).value};
    }
    return {};
  }

  //===--------------------------------------------------------------------===//
  // Integer powers: repeated squaring until no element has exponent bits left.
  //===--------------------------------------------------------------------===//

  using Multiply = function_ref<Value(Value, Value)>;

  /// base ** exponent with an exponent that is read as unsigned.
  Value raise(ImplicitLocOpBuilder &b, Value base, Value exponent, Value one,
              Multiply multiply) {
    Type exponentType = exponent.getType();
    auto splat = [&](int64_t value) -> Value {
      auto element =
          b.getIntegerAttr(getElementTypeOrSelf(exponentType), value);
      if (auto vector = dyn_cast<VectorType>(exponentType))
        return arith::ConstantOp::create(
            b, DenseElementsAttr::get(vector, Attribute(element)));
      return arith::ConstantOp::create(b, element);
    };
    Value zero = splat(0), unit = splat(1);
    Type types[] = {one.getType(), base.getType(), exponentType};
    auto loop = scf::WhileOp::create(b, TypeRange(types),
                                     ValueRange{one, base, exponent});
    SmallVector<Location> locations(3, b.getLoc());
    OpBuilder::InsertionGuard guard(b);

    Block *test = b.createBlock(&loop.getBefore(), {}, types, locations);
    Value left = arith::CmpIOp::create(b, arith::CmpIPredicate::ne,
                                       test->getArgument(2), zero);
    seagrove::ExpandMathOptions none;
    ConstantCache unused;
    MathBuilder m(b, base.getType(), none, unused);
    scf::ConditionOp::create(b, any(m.boolean(left)), test->getArguments());

    Block *body = b.createBlock(&loop.getAfter(), {}, types, locations);
    Value product = body->getArgument(0), square = body->getArgument(1);
    Value rest = body->getArgument(2);
    Value low = arith::AndIOp::create(b, rest, unit);
    Value odd = arith::CmpIOp::create(b, arith::CmpIPredicate::ne, low, zero);
    Value next =
        arith::SelectOp::create(b, odd, multiply(product, square), product);
    scf::YieldOp::create(b, ValueRange{next, multiply(square, square),
                                       arith::ShRUIOp::create(b, rest, unit)});
    return loop.getResult(0);
  }

  /// base ** n by the power of floats, whose error does not grow with n; the
  /// sign comes from n itself, which a float may not hold.
  Value powerOfFloat(MathBuilder &m, math::FPowIOp op) {
    ImplicitLocOpBuilder &b = m.ops();
    Value n = op.getRhs();
    Flt base = m.flt(op.getLhs());
    Flt exponent =
        m.flt(arith::SIToFPOp::create(b, m.floatType(), n).getResult());
    if (m.isF64())
      return callLibm(b, symbols, "pow", {base.value, exponent.value});
    Flt size = pow(abs(base), exponent);
    Value one = arith::ConstantOp::create(b, onesLike(n.getType()));
    Value odd = arith::CmpIOp::create(b, arith::CmpIPredicate::eq,
                                      arith::AndIOp::create(b, n, one), one);
    return select(m.boolean(odd), copySign(size, base), size).value;
  }

  static TypedAttr onesLike(Type type) {
    Attribute one = IntegerAttr::get(getElementTypeOrSelf(type), 1);
    if (auto vector = dyn_cast<VectorType>(type))
      return DenseElementsAttr::get(vector, one);
    return cast<TypedAttr>(one);
  }

  Value powerOfInteger(ImplicitLocOpBuilder &b, math::IPowIOp op) {
    Type type = op.getType();
    Value base = op.getLhs(), exponent = op.getRhs();
    auto constant = [&](int64_t value) -> Value {
      auto element = b.getIntegerAttr(getElementTypeOrSelf(type), value);
      if (auto vector = dyn_cast<VectorType>(type))
        return arith::ConstantOp::create(
            b, DenseElementsAttr::get(vector, Attribute(element)));
      return arith::ConstantOp::create(b, element);
    };
    auto compare = [&](arith::CmpIPredicate predicate, Value x,
                       Value y) -> Value {
      return arith::CmpIOp::create(b, predicate, x, y);
    };
    Value zero = constant(0), one = constant(1), minusOne = constant(-1);
    Value size = math::AbsIOp::create(b, exponent);
    Value power = raise(b, base, size, one, [&](Value x, Value y) -> Value {
      return arith::MulIOp::create(b, x, y);
    });
    // 1 / base**n is zero but for the units, which are their own inverses.
    Value isUnit =
        arith::OrIOp::create(b, compare(arith::CmpIPredicate::eq, base, one),
                             compare(arith::CmpIPredicate::eq, base, minusOne));
    Value keeps = arith::OrIOp::create(
        b, compare(arith::CmpIPredicate::sge, exponent, zero), isUnit);
    return arith::SelectOp::create(b, keeps, power, zero);
  }

  const seagrove::ExpandMathOptions &options;
  SymbolTable symbols;
  DenseMap<Operation *, ConstantCache> constants;
};

struct ExpandMath : public seagrove::impl::ExpandMathBase<ExpandMath> {
  using ExpandMathBase::ExpandMathBase;

  void runOnOperation() override {
    seagrove::ExpandMathOptions options;
    options.fma = fma;
    options.rounding = rounding;
    options.f16Arithmetic = f16Arithmetic;
    options.f16Conversion = f16Conversion;
    options.bf16Arithmetic = bf16Arithmetic;
    options.bf16Conversion = bf16Conversion;
    options.bf16Flushing = bf16Flushing;
    options.truncating = truncating;
    Expander(getOperation(), options).expandAll();
  }
};

} // namespace
