//===- Lowering.h - tensors to loops of native vectors ----------*- C++ -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// How a kernel over blocks becomes loops over native vectors.
//
// A tensor value is either *lazy* or *in memory*. A lazy value is an expression
// that is evaluated one vector at a time wherever it is needed; a value in
// memory is a buffer in the program's scratch area. `Plan` decides once, before
// anything is emitted. Operations that have an effect or that need all of their
// operand (a store, a reduction, a product, ...) are *roots*: each becomes one
// nest of loops, in program order, that evaluates its operands tile by tile.
//
// A tile is a position in a block: one coordinate for each dimension, and one
// dimension along which it covers `lanes` consecutive elements. Each coordinate
// knows at which depth of the nest it is defined, and so does each expression:
// it is emitted at the outermost depth at which it can be computed. Hence the
// code grows with the kernel and never with the block.
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_LIB_CONVERSION_TENSORTOVECTOR_LOWERING_H
#define SEAGROVE_LIB_CONVERSION_TENSORTOVECTOR_LOWERING_H

#include "Placement.h"
#include "Plan.h"
#include "Tiles.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"
#include "seagrove/Dialect/Access/IR/Access.h"
#include "seagrove/Dialect/Triton/IR/Dialect.h"
#include "seagrove/Support/Decisions.h"
#include "seagrove/Support/MatrixUnit.h"
#include "llvm/ADT/MapVector.h"
#include <map>
#include <vector>

namespace seagrove::vectorize {

class Lowering {
public:
  Lowering(mlir::func::FuncOp kernel, const Machine &machine);
  /// Emits the program function beside the kernel. Errors were emitted when it
  /// fails.
  llvm::LogicalResult run();

private:
  struct Predicate {
    /// Null where it always holds.
    mlir::Value scalar;
    mlir::Value vector;
  };

  //===--- Functions and control flow (ControlFlow.cpp) -------------------===//
  llvm::LogicalResult emitBlock(mlir::Block &block);
  llvm::LogicalResult emitOperation(mlir::Operation *op);
  llvm::LogicalResult emitRoot(mlir::Operation *op);
  llvm::LogicalResult emitScalar(mlir::Operation *op);
  llvm::LogicalResult emitFor(mlir::scf::ForOp op);
  llvm::LogicalResult emitWhile(mlir::scf::WhileOp op);
  llvm::LogicalResult emitIf(mlir::scf::IfOp op);
  llvm::LogicalResult emitBranch(mlir::Operation *op);
  llvm::LogicalResult emitExtract(mlir::tensor::ExtractOp op);
  llvm::LogicalResult emitEffect(mlir::Operation *op);
  llvm::LogicalResult emitAssembly(tt::ElementwiseInlineAsmOp op);
  llvm::SmallVector<mlir::Value> assemble(tt::ElementwiseInlineAsmOp op,
                                          mlir::ValueRange operands);
  llvm::LogicalResult emitPrint(tt::PrintOp op);
  llvm::LogicalResult emitAssert(tt::AssertOp op);
  void require(mlir::Value holds, mlir::Value message);
  mlir::Value text(llvm::StringRef value);
  void callPrintf(llvm::StringRef format, mlir::ValueRange arguments);
  std::string formatOf(mlir::Value &value, bool isSigned, bool hex);
  mlir::Block *emitEdge(mlir::Block *target, mlir::ValueRange operands,
                        llvm::SmallVectorImpl<mlir::Value> &passed);
  void emitYields(mlir::ValueRange yielded, llvm::ArrayRef<Buffer> targets,
                  llvm::SmallVectorImpl<mlir::Value> &results);
  void bindCarried(mlir::ValueRange inits, mlir::ValueRange arguments,
                   llvm::SmallVectorImpl<mlir::Value> &initial);
  void findReads(mlir::Value value, bool inPlace,
                 llvm::ArrayRef<Buffer> targets,
                 llvm::SmallVectorImpl<std::pair<size_t, bool>> &found,
                 llvm::DenseSet<std::pair<mlir::Value, unsigned>> &seen);
  llvm::SmallVector<Buffer> targetsOf(mlir::ValueRange values);
  Buffer allocateLike(mlir::Value value);
  void copyBuffer(const Buffer &from, const Buffer &to,
                  llvm::ArrayRef<int64_t> shape);

  //===--- Scalars (Scalars.cpp) -----------------------------------------===//
  llvm::LogicalResult emitScalarMemory(mlir::Operation *op);
  mlir::Value guarded(mlir::Value condition, mlir::Type type,
                      llvm::function_ref<mlir::Value()> body);
  mlir::Value scalar(mlir::Value value);
  mlir::Value asI64(mlir::Value value);
  mlir::Value constant(int64_t value);
  mlir::Type lowered(mlir::Type type) const;

  //===--- Atomic updates (Atomics.cpp) ----------------------------------===//
  void exportAtomics();
  mlir::Value atomicUpdate(llvm::StringRef kind, llvm::StringRef ordering,
                           mlir::Value pointer, mlir::Value value);
  mlir::Value atomicNarrowUpdate(mlir::LLVM::AtomicBinOp op,
                                 llvm::StringRef ordering, mlir::Value pointer,
                                 mlir::Value value);
  mlir::Value atomicSwap(llvm::StringRef ordering, mlir::Value pointer,
                         mlir::Value compare, mlir::Value value);
  mlir::Value plainUpdate(llvm::StringRef kind, mlir::Value pointer,
                          mlir::Value value);
  mlir::Value scalarUpdate(llvm::StringRef kind, llvm::StringRef ordering,
                           mlir::Value pointer, mlir::Value value,
                           bool inSystem);
  llvm::LogicalResult emitAtomic(mlir::Operation *op);
  llvm::LogicalResult emitHistogram(sg::HistogramOp op);
  void emitLocked(mlir::Operation *op, const Buffer *old);
  void emitPlain(sg::AtomicRMWOp op, const Buffer *old);
  void emitPlainVector(sg::AtomicRMWOp op, const Tile &tile, const Buffer *old);
  std::pair<mlir::Value, mlir::Value> isInARow(sg::AtomicRMWOp op,
                                               const Tile &tile);
  mlir::Value allOf(Lanes lanes);
  void
  oneByOne(const Tile &tile, mlir::Value all,
           llvm::function_ref<void(const Tile &element, bool checks)> body);
  void emitPlainElement(sg::AtomicRMWOp op, const Tile &tile, const Buffer *old,
                        bool masked);

  //===--- Memory (Memory.cpp) -------------------------------------------===//
  Buffer allocate(mlir::RankedTensorType type);
  Buffer allocateBytes(int64_t elements, mlir::Type elementType,
                       Lifetime lifetime = Lifetime::uses);
  mlir::Value address(mlir::Value pointer, mlir::Type elementType,
                      mlir::Value offset);
  mlir::Value bufferAddress(const Buffer &buffer, const Tile &tile);
  Lanes readBuffer(const Buffer &buffer, const Tile &tile);
  void writeBuffer(const Buffer &buffer, const Tile &tile, mlir::Value value);
  Lanes takeLanes(const Buffer &source, int64_t axis, int64_t size, Lanes index,
                  const Tile &tile);
  mlir::Value toMemory(mlir::Value value);
  mlir::Value select(mlir::Value condition, mlir::Value first,
                     mlir::Value second);
  mlir::Value fromMemory(mlir::Value value, mlir::Type elementType);

  //===--- Structured accesses (Accesses.cpp) ----------------------------===//
  Predicate boundsOf(const Tile &tile, mlir::ValueRange lows,
                     mlir::ValueRange highs, llvm::ArrayRef<int64_t> shape,
                     mlir::Value mask);
  Lanes evaluateLoad(sg::LoadOp op, const Tile &tile);
  Lanes evaluateGather(sg::GatherOp op, const Tile &tile);

  //===--- Reads ahead (Ahead.cpp) ---------------------------------------===//
  void prefetch(sg::LoadOp op, mlir::Value pointer, const Tile &tile);
  const std::optional<ReadView> &nextRow(sg::LoadOp op);
  std::optional<NextRow> deriveNextRow(sg::LoadOp op) const;
  std::optional<ReadView> findNextRow(sg::LoadOp op);
  mlir::Value emitNextRow(sg::LoadOp op, const NextRow &row);
  enum class Asking { None, Ahead, NextRow };
  Asking asksFor(sg::LoadOp op, const std::optional<NextRow> &next) const;
  mlir::Value askedFor(sg::LoadOp op, mlir::Value pointer, const Tile &tile,
                       int32_t bytesAhead);

  bool isUniform(mlir::Value value, const Tile &tile);
  Lanes readLanes(mlir::Value pointer, mlir::Type elementType, const Tile &tile,
                  Predicate predicate, mlir::Value other, bool isVolatile);
  Lanes gatherLanes(mlir::Value pointers, mlir::Type elementType,
                    const Tile &tile, Predicate predicate, mlir::Value other);
  mlir::Value offsetOf(const Tile &tile, mlir::Value offset,
                       mlir::ValueRange strides,
                       llvm::function_ref<mlir::Value(int64_t)> indexOf,
                       bool skipVectorDim);
  mlir::Value otherLanes(mlir::Value other, mlir::Type elementType,
                         const Tile &tile, bool uniform);
  mlir::Value streamsPastCaches(sg::StoreOp op, int64_t vectorDim, Width width);
  void fenceStream(sg::StoreOp store, mlir::Value streams);
  llvm::LogicalResult emitScatter(sg::ScatterOp op);
  /// Where the lanes of a tile are: from `first` on, or at `each`; with
  /// `contiguous` the former holds where that bit is set, and with `uniform`
  /// the first address is that of all lanes.
  struct Place {
    mlir::Value first, each, contiguous, uniform;
  };
  template <typename AccessOp>
  Place placeOf(AccessOp op, const Tile &tile, const ReadView *view);
  /// Emits what sees whether the lanes at `positions`, computed by `index`, are
  /// one place or side by side, if they mostly are.
  void noticeOrder(Place &place, mlir::Value index, bool wraps,
                   mlir::Value positions, const Tile &tile);
  /// The least and the largest element of an index, as i64, where `known`
  /// holds; of its lanes between two coordinates.
  struct Interval {
    mlir::Value low, high, known;
  };
  Interval intervalOf(mlir::Value index, mlir::Value from, mlir::Value to);
  mlir::Value readOnce(mlir::ValueRange readers,
                       llvm::SmallVectorImpl<sg::LoadOp> &loads);
  mlir::Value explicitAddress(mlir::Value base, mlir::Value offsets,
                              bool inBytes, mlir::Type element,
                              const Tile &tile);
  void writeLanes(mlir::Value value, mlir::Value pointer, const Tile &tile,
                  Predicate predicate, bool pastCaches = false);
  void scatterLanes(mlir::Value value, mlir::Value pointers, const Tile &tile,
                    Predicate predicate);
  mlir::Value wholeMask(Predicate predicate, const Tile &tile);

  //===--- Stores (Stores.cpp) -------------------------------------------===//
  /// A store that its nest writes where `active` holds, if there is such a
  /// bit, past the caches where `streams` does.
  struct Written {
    sg::StoreOp op;
    mlir::Value active, streams;
  };
  llvm::LogicalResult emitStore(sg::StoreOp op);
  void emitStoreVersions(llvm::ArrayRef<Written> stores, mlir::Value conflict,
                         llvm::ArrayRef<std::pair<sg::LoadOp, Buffer>> copies);
  void emitStoreNest(llvm::ArrayRef<Written> stores);
  void emitStoreTiles(llvm::ArrayRef<Written> stores,
                      llvm::ArrayRef<Tile> tiles);
  void writeTiles(const Written &store, llvm::ArrayRef<Tile> tiles,
                  llvm::ArrayRef<Lanes> values,
                  llvm::ArrayRef<Predicate> predicates);
  int64_t writtenDim(llvm::ArrayRef<Written> stores) const;
  Width writtenWidth(llvm::ArrayRef<Written> stores, int64_t dim);

  //===--- Expressions (Expressions.cpp) ---------------------------------===//
  Lanes evaluate(mlir::Value value, const Tile &tile);
  std::vector<uintptr_t> keyOf(mlir::Value value, const Tile &tile);
  Lanes evaluateUncached(mlir::Value value, const Tile &tile);
  Lanes evaluateElementwise(mlir::Operation *op, mlir::Value value,
                            const Tile &tile);
  mlir::Value remainder(mlir::Operation *op, mlir::Value dividends,
                        mlir::Value divisor, const Tile &tile);
  mlir::Value spread(Lanes lanes, const Tile &tile);
  mlir::Value vectorOf(mlir::Value value, const Tile &tile);

  //===--- Loops that only accumulate (Accumulate.cpp) -------------------===//
  bool isAccumulation(mlir::scf::ForOp loop);
  llvm::LogicalResult emitAccumulation(mlir::scf::ForOp loop);
  using CarriedBody = llvm::function_ref<llvm::LogicalResult(
      llvm::SmallVector<Tile>, llvm::SmallVectorImpl<mlir::Value> &)>;
  llvm::LogicalResult emitStrips(mlir::scf::ForOp loop, const Carried &strip,
                                 mlir::Value low, mlir::Value high,
                                 mlir::Value first, CarriedBody body);
  llvm::LogicalResult
  emitIteration(mlir::scf::ForOp loop, mlir::Value number,
                llvm::SmallVector<Tile> tiles,
                llvm::SmallVectorImpl<mlir::Value> &carried);
  llvm::LogicalResult mapIteration(mlir::scf::ForOp loop, mlir::Value number);
  llvm::SmallVector<mlir::Value>
  evaluateIteration(mlir::scf::ForOp loop, llvm::SmallVector<Tile> tiles,
                    llvm::ArrayRef<mlir::Value> carried, bool isInterior,
                    bool ahead);
  Carried stripOf(mlir::scf::ForOp loop);
  llvm::FailureOr<mlir::Value>
  emitSideBySide(mlir::scf::ForOp loop, const Carried &strip,
                 llvm::ArrayRef<mlir::Value> numbers, mlir::Value whole);
  mlir::Value interiorOf(mlir::ValueRange values, const Carried &strip,
                         llvm::SmallVectorImpl<KnownBounds> &implied);
  llvm::LogicalResult emitOneByOne(mlir::scf::ForOp loop, const Carried &strip,
                                   mlir::Value from, mlir::Value to,
                                   mlir::Value low);
  //===--- Loops that accumulate sums along rows (Folding.cpp) -----------===//
  /// How a loop runs whose blocks are only reduced along their rows: `rows` of
  /// them side by side, each in `vectors` vectors.
  struct Folding {
    llvm::SmallVector<sg::ReduceOp> reductions;
    int64_t rows = 1, vectors = 1;
    Width width;
  };
  std::optional<Folding> foldingOf(mlir::scf::ForOp loop);
  llvm::LogicalResult emitFolded(mlir::scf::ForOp loop, Folding folding);
  llvm::LogicalResult emitFoldedRows(mlir::scf::ForOp loop,
                                     const Folding &folding,
                                     llvm::ArrayRef<Buffer> sums,
                                     mlir::Value from, mlir::Value to,
                                     mlir::Value trips);
  llvm::SmallVector<mlir::Value>
  emitFoldedIteration(mlir::scf::ForOp loop, const Folding &folding,
                      llvm::ArrayRef<Tile> rows,
                      llvm::SmallVector<mlir::Value> carried);

  mlir::Value areInterior(mlir::ValueRange values,
                          llvm::ArrayRef<int64_t> shape,
                          llvm::ArrayRef<Tile> tiles,
                          llvm::SmallVectorImpl<KnownBounds> &implied);

  //===--- Nests (Nests.cpp) ---------------------------------------------===//
  mlir::Value openLoop(mlir::Value lower, mlir::Value upper, int64_t step,
                       mlir::ValueRange inits = {}) {
    return openLoop(lower, upper, constant(step), inits);
  }
  mlir::Value openLoop(mlir::Value lower, mlir::Value upper, mlir::Value step,
                       mlir::ValueRange inits = {});
  /// Ends the innermost loop; its results follow from `yielded`.
  mlir::ValueRange closeLoop(mlir::ValueRange yielded = {});
  mlir::ValueRange loopState() { return loops.back().getRegionIterArgs(); }
  void openNest();
  void closeNest();
  mlir::scf::IfOp openBranch(mlir::Value condition, mlir::TypeRange types,
                             bool otherwise = true);
  void openSide(mlir::Block *block);
  void openOtherBranch(mlir::scf::IfOp branch);
  mlir::ValueRange closeBranch(mlir::scf::IfOp branch);
  unsigned depth() const { return loops.size(); }
  unsigned depthOf(const Tile &tile) const;
  /// Runs `body` for each tile of a domain, first without and then with bounds
  /// along the vector dimension.
  void emitTiles(Tile base, llvm::ArrayRef<int64_t> shape,
                 llvm::ArrayRef<int64_t> outerDims, int64_t vectorDim,
                 Width width, mlir::ValueRange readers,
                 llvm::ArrayRef<KnownBounds> bounds, TileBody body,
                 BeyondBody beyond = nullptr);
  /// Says for `explain` how a nest runs.
  void noteVectors(llvm::ArrayRef<int64_t> shape, int64_t vectorDim,
                   Width width, bool isMasked, llvm::StringRef more = "");
  void emitBeyond(Tile tile, int64_t size, mlir::Value edge, BeyondBody beyond);
  void forEachTile(llvm::ArrayRef<int64_t> shape, int64_t vectorDim,
                   Width width, mlir::ValueRange readers,
                   llvm::ArrayRef<KnownBounds> bounds,
                   llvm::function_ref<void(const Tile &)> body);
  Tile originOf(size_t rank);
  void openLoops(Tile &tile, llvm::ArrayRef<int64_t> shape,
                 llvm::ArrayRef<int64_t> dims,
                 llvm::ArrayRef<KnownBounds> bounds);
  /// The first coordinate of `dim` from which some read of `readers` has to be
  /// masked, as an i64; null where none ever has to.
  mlir::Value interiorEnd(mlir::ValueRange readers,
                          llvm::ArrayRef<int64_t> shape, int64_t dim,
                          llvm::ArrayRef<KnownBounds> own);
  /// Calls `visit` for each read from memory or from the scratch area that
  /// evaluating `value` takes, with the dimension of the nest that each of its
  /// dimensions runs over, or -1. `nestDims` are those of `value`.
  /// `leaf` is called for what else depends on the position, and for
  /// comparisons.
  using Visit = llvm::function_ref<void(mlir::Value, llvm::ArrayRef<int64_t>)>;
  void forEachRead(mlir::Value value, llvm::ArrayRef<int64_t> nestDims,
                   Visit visit, Visit leaf = nullptr);
  llvm::SmallVector<Comparison> collectComparisons(mlir::ValueRange values,
                                                   int64_t rank, int64_t dim);
  /// Two coordinates, as i64: from `interior` on some read has to be masked,
  /// from `beyond` on nothing is read and all positions are alike. Null where
  /// that is nowhere, or not known.
  struct Extent {
    mlir::Value interior, beyond;
    /// True where the comparisons of positions hold in the interior.
    bool passes = false;
  };
  mlir::Value passingOf(const Comparison &comparison);
  bool passesWithin(mlir::ValueRange readers, llvm::ArrayRef<int64_t> shape,
                    int64_t dim, mlir::Value &end);
  Extent extentOf(mlir::ValueRange readers, llvm::ArrayRef<int64_t> shape,
                  int64_t dim, llvm::ArrayRef<KnownBounds> own = {});
  void collectBounds(mlir::Value value, llvm::ArrayRef<int64_t> nestDims,
                     int64_t dim, llvm::SmallVectorImpl<KnownBounds> &bounds);
  int64_t chooseVectorDim(mlir::Value value) const;
  bool isFull(mlir::Value low, mlir::Value high, int64_t size) const;

  //===--- Transposed reads (Transposes.cpp) ------------------------------===//
  bool isContiguous(mlir::Value read, int64_t dim);
  bool isCrossed(mlir::Value read, int64_t vectorDim, int64_t otherDim);
  Crossing findCrossing(mlir::ValueRange readers, llvm::ArrayRef<int64_t> shape,
                        llvm::ArrayRef<int64_t> outerDims, int64_t vectorDim,
                        Width width);
  Lanes readTransposed(mlir::Value read, const Tile &tile);
  bool liesAcross(mlir::Value value, int64_t vectorDim, int64_t otherDim);
  Tile rowOf(const Tile &tile, int64_t lane, int64_t first, int64_t length);
  mlir::Value doNotWrap(const Crossing &crossing);
  mlir::Value doesNotWrap(mlir::Value index, mlir::Value last);
  /// The part of a nest in which tiles are evaluated in groups.
  struct Groups {
    Crossing crossing;
    /// Where groups end along the crossing's dimension.
    mlir::Value end;
    int64_t vectorDim;
    Width width;
    llvm::function_ref<void(llvm::ArrayRef<Tile>)> body;
    bool passes = false;
  };
  void emitGroupStrip(const Groups &groups, const Tile &base, mlir::Value from,
                      mlir::Value to, int64_t vectors);
  int64_t vectorsAtOnce(mlir::ValueRange readers, const Crossing &crossing,
                        int64_t vectors, int64_t available);
  /// As `emitTiles`, but `body` is given all tiles of a group at once:
  /// `vectors` next to each other, or fewer where their code is large, and as
  /// many of them along another dimension as transposing takes.
  void emitGroups(Tile base, llvm::ArrayRef<int64_t> shape,
                  llvm::ArrayRef<int64_t> outerDims, int64_t vectorDim,
                  Width width, int64_t vectors, mlir::ValueRange readers,
                  llvm::ArrayRef<KnownBounds> bounds,
                  llvm::function_ref<void(llvm::ArrayRef<Tile>)> body,
                  BeyondBody beyond = nullptr);

  //===--- Lengths of vectors (Scalable.cpp) ------------------------------===//
  Width chooseWidth(mlir::Type elementType, int64_t size,
                    mlir::ValueRange readers, mlir::Block *combiner = nullptr);
  bool isMoved(mlir::Value value);
  Width writtenWidth(mlir::Value value, int64_t size, mlir::ValueRange readers);
  Width streamedWidth(Width width, mlir::ValueRange readers) const;
  Width fixedWidth(mlir::Type elementType, int64_t size) const;
  mlir::Operation *findFixedLanes(mlir::Value value,
                                  llvm::DenseSet<mlir::Value> &seen);
  int64_t maxLanes(Width width) const;
  mlir::Value laneCount(Width width, int64_t factor = 1);
  mlir::Value roundDown(mlir::Value value, Width width, int64_t factor = 1);
  mlir::Value roundUp(mlir::Value value, Width width);
  mlir::Value step(mlir::Type elementType, Width width);
  mlir::Value lastPosition(Width width);
  mlir::Value laneAt(mlir::Value vector, mlir::Value position, Width width);
  mlir::Value firstLanes(mlir::Value count, Width width);
  llvm::SmallVector<mlir::Value> combineScalableLanes(mlir::Block &combiner,
                                                      mlir::ValueRange vectors);

  //===--- Values in memory (Materialize.cpp) ----------------------------===//
  llvm::LogicalResult materialize(mlir::Value value);
  llvm::LogicalResult materializeConstant(mlir::Value value,
                                          mlir::DenseElementsAttr dense);
  void materializeInto(mlir::Value value, const Buffer &buffer);
  Buffer bufferOf(mlir::Value value);
  llvm::LogicalResult emitConcat(mlir::Operation *op);
  llvm::LogicalResult emitMap(sg::MapOp op);
  void emitView(mlir::Operation *op);

  //===--- Reductions (Reduce.cpp) ---------------------------------------===//
  llvm::LogicalResult emitReduce(sg::ReduceOp op);
  Line lineOf(llvm::ArrayRef<sg::ReduceOp> ops, const Tile &tile,
              Width width) const;
  llvm::SmallVector<mlir::Value>
  orExactly(Line &line, mlir::ValueRange results,
            llvm::function_ref<llvm::SmallVector<mlir::Value>()> exactly);
  int64_t rowsTogether(llvm::ArrayRef<sg::ReduceOp> ops, int64_t dim,
                       Width width);
  mlir::Value combineRows(const Line &line,
                          llvm::SmallVector<mlir::Value> rows);
  void reduceRowGroups(
      Line line, int64_t dim, int64_t rows,
      llvm::function_ref<void(const Tile &, mlir::ValueRange)> finish);
  llvm::SmallVector<mlir::Value>
  reduceAlongAxis(llvm::ArrayRef<sg::ReduceOp> ops, const Tile &tile,
                  Width width);
  llvm::SmallVector<mlir::Value> evaluateLine(const Line &line,
                                              const Tile &tile);
  llvm::SmallVector<mlir::Value> reduceChains(Line line);
  void reduceStrips(const Line &line, mlir::Value from, mlir::Value to,
                    int64_t count, bool interior,
                    llvm::SmallVectorImpl<mlir::Value> &state);
  llvm::SmallVector<mlir::Value>
  combineBeyond(const Line &line, mlir::ValueRange state, mlir::Value edge);
  llvm::SmallVector<mlir::Value> neutralState(const Line &line);
  llvm::SmallVector<mlir::Value>
  advance(const Line &line, mlir::ValueRange state, mlir::ValueRange values);
  Tile tileAt(const Line &line, mlir::Value position, bool interior);
  mlir::Value isZero(mlir::Value value);
  mlir::Value anyOf(mlir::Value lanes);

  //===--- What a reduction does on the way (Fillers.cpp) -----------------===//
  void writeFills();
  sg::ReduceOp fillerOf(mlir::Value value);
  sg::ReduceOp findFiller(mlir::Value value);
  bool postpone(mlir::Value value);
  bool isKnownAt(mlir::Value value, llvm::ArrayRef<sg::ReduceOp> ops);
  void collectReads(mlir::ValueRange values,
                    llvm::DenseSet<mlir::Value> &reads);
  llvm::SmallVector<sg::ReduceOp> reducedWith(sg::ReduceOp op);
  void findFillers(llvm::ArrayRef<sg::ReduceOp> ops, bool early);

  //===--- Combiners and scans (Combine.cpp) -----------------------------===//
  llvm::LogicalResult emitScan(sg::ScanOp op);
  Width scanWidth(sg::ScanOp op, int64_t vectorDim);
  struct Strip {
    llvm::SmallVector<mlir::Value> results, state;
  };
  Strip scanStrip(sg::ScanOp op, mlir::ValueRange values,
                  mlir::ValueRange before);
  llvm::SmallVector<mlir::Value> scanAlongAxis(sg::ScanOp op, Tile tile,
                                               Width width,
                                               llvm::ArrayRef<Buffer> outputs);
  llvm::SmallVector<mlir::Value>
  combine(mlir::Block &combiner, mlir::ValueRange left, mlir::ValueRange right);
  llvm::SmallVector<mlir::Value> combineLanes(mlir::Block &combiner,
                                              mlir::ValueRange vectors);
  llvm::SmallVector<mlir::Value>
  scanLanes(mlir::Block &combiner, mlir::ValueRange vectors, bool reverse);
  llvm::SmallVector<mlir::Value> evaluateAll(mlir::ValueRange values,
                                             const Tile &tile);

  //===--- Rows (Rows.cpp) -----------------------------------------------===//
  std::optional<KnownBounds> sharedBound(mlir::ValueRange readers, size_t rank,
                                         int64_t dim);
  std::optional<KnownBounds> onlyBound(mlir::ValueRange readers, size_t rank,
                                       int64_t dim);
  void forEachRow(Tile tile, llvm::ArrayRef<int64_t> shape, int64_t dim,
                  mlir::ValueRange readers,
                  llvm::function_ref<void(const Tile &)> body);
  void
  reduceRows(sg::ReduceOp op, llvm::ArrayRef<Tile> columns,
             llvm::function_ref<void(const Tile &, mlir::ValueRange)> finish);
  void
  reduceAcross(sg::ReduceOp op, Tile tile, llvm::ArrayRef<int64_t> outerDims,
               int64_t vectorDim, Width width,
               llvm::function_ref<void(const Tile &, mlir::ValueRange)> finish);

  //===--- Loops that keep their blocks in registers (Chains.cpp) ---------===//
  llvm::FailureOr<bool> emitChainLoop(mlir::scf::ForOp loop);
  llvm::LogicalResult emitScalarResults(mlir::scf::ForOp loop);
  llvm::LogicalResult emitChain(mlir::scf::ForOp loop,
                                llvm::ArrayRef<Tile> tiles);

  //===--- Sorting networks (Networks.cpp) -------------------------------===//
  int64_t spanOf(mlir::Value value, llvm::DenseSet<mlir::Value> &seen);
  void materializeGroups(mlir::Value value, const Buffer &buffer, int64_t span);
  std::optional<int64_t> numberInGroup(const Tile &tile) const;
  Lanes evaluateButterfly(sg::ButterflyOp op, const Tile &tile);
  std::optional<Lanes> evaluatePositionBit(mlir::Operation *op,
                                           const Tile &tile);

  //===--- Products (Product.cpp) ----------------------------------------===//
  struct Operands {
    Buffer out, left, right;
    /// What the product is added to, evaluated at each register tile; null
    /// where `out` holds it.
    mlir::Value accumulator;
    /// The product is added to zero, which the matrix unit makes by itself.
    bool startsAtZero = false;
    /// Where the left operand's first row is, and, where `inPlace` holds, the
    /// distance of its rows in the user's memory: a stride, an index, or both.
    /// Elsewhere the rows are those of `left`.
    mlir::Value leftPointer, inPlace, leftStride, leftIndex;
    /// True where the left operand is read from panels: at each step of the
    /// depth the elements of a register tile's rows.
    bool leftPanels = false;
    /// The bytes from one row of the left operand to the next, for the unit.
    mlir::Value leftRowBytes;
    /// How many columns of the left operand there are, and how many packed ones
    /// there is room for.
    mlir::Value depth;
    int64_t capacity = 0;
    /// Rows of each packed panel of the right operand.
    mlir::Value panelRows;
    /// The distance of the rows that the register tiles read of the right
    /// operand; null where it is the width of a panel.
    mlir::Value lineStride;
    /// How many rows and columns of the product are needed; null for all.
    mlir::Value rows, columns;
    /// Where it holds, the register tiles start from `accumulator`, elsewhere
    /// from `out`; null where it always does.
    mlir::Value first;
  };
  struct Group {
    Buffer buffer;
    mlir::Value kept, tag;
  };
  /// Whether a chunk reads the left operand from panels, and whether it has to
  /// pack them first.
  struct LeftUse {
    mlir::Value panels, packs;
  };
  llvm::LogicalResult emitProduct(mlir::linalg::LinalgOp op);
  /// Emits a loop that consists of one product; false if it is another loop.
  llvm::FailureOr<bool> emitProductLoop(mlir::scf::ForOp loop);
  /// Iterations of a loop over K that are packed together: `count` from the one
  /// numbered `first` on.
  struct Chunk {
    mlir::scf::ForOp loop;
    mlir::Value first, count, lower, step;
  };
  llvm::LogicalResult emitIterationScalars(const Chunk &chunk,
                                           mlir::Value iteration);
  llvm::LogicalResult findDepth(const Chunk &chunk, const Product &product,
                                Operands &operands);
  llvm::FailureOr<mlir::Value>
  followInMemory(const Chunk &chunk, const Product &product, sg::LoadOp load,
                 const Operands &operands, mlir::Value possible);
  llvm::LogicalResult
  packIterations(const Chunk &chunk, const Product &product, Tile base,
                 mlir::Value times,
                 llvm::function_ref<void(mlir::Value, const Tile &)> emit);
  Operands operandsFor(const Product &product, mlir::Value result,
                       int64_t capacity);
  llvm::FailureOr<LeftUse>
  packChunkLeft(const Chunk &chunk, const Product &product, Tile base,
                sg::LoadOp load, mlir::Value possible, const Panels &panels,
                std::pair<mlir::Value, mlir::Value> place, Operands &operands);
  void multiplyChunk(const Product &product, Tile base, Operands operands,
                     const LeftUse &use, bool mayBeInPlace);
  void bindAccumulator(mlir::scf::ForOp loop, const Product &product,
                       mlir::Value trips, Operands &operands);
  Product productOf(mlir::linalg::LinalgOp op);
  void explain(const Product &product) const;
  Buffer destinationOf(const Product &product);
  bool isReadInPlaceOf(mlir::Value expression, mlir::Value carried);
  std::pair<mlir::Value, int64_t> iterationOf(mlir::Operation *op);
  mlir::Value leftRow(const Operands &operands, mlir::Value row);
  void packLeft(const Product &product, Tile base, const Buffer &buffer,
                mlir::Value column);
  llvm::SmallVector<mlir::Value> partsOf(const Product &product,
                                         mlir::Value elements);
  llvm::SmallVector<llvm::SmallVector<mlir::Value>>
  crossedLines(const Product &product, const Tile &tile, int64_t interleave);
  void packRight(const Product &product, Tile base, const Operands &operands,
                 mlir::Value row);
  void packZeroRows(const Product &product, const Operands &operands,
                    mlir::Value row, mlir::Value from, mlir::Value columns);
  mlir::Value columnsInARow(const Product &product, mlir::Value whole);
  void packRightAcross(const Product &product, Tile base,
                       const Operands &operands, mlir::Value row);
  void multiply(const Product &product, Tile base, const Operands &operands);
  void multiplyTile(const Product &product, Tile base, const Operands &operands,
                    mlir::Value row, mlir::Value column, int64_t count);
  void multiplySteps(const Product &product, const Operands &operands,
                     mlir::Value row, mlir::Value column, int64_t count,
                     llvm::SmallVectorImpl<mlir::Value> &sums);
  void addStep(const Product &product, mlir::Value line,
               llvm::MutableArrayRef<mlir::Value> sums,
               llvm::function_ref<mlir::Value(int64_t)> left);
  mlir::Value interleaved(llvm::ArrayRef<mlir::Value> vectors);
  //===--- Products of which one line is needed (SingleLines.cpp) --------===//
  std::pair<mlir::Value, mlir::Value> splitSingle(mlir::Value count,
                                                  mlir::Value columns);
  mlir::Value multiplySingleRow(const Product &product, Tile base,
                                const Operands &operands, mlir::Value columns);
  mlir::Value multiplySingleColumn(const Product &product, Tile base,
                                   Operands operands, mlir::Value columns);
  Buffer packColumn(const Product &product, const Operands &operands);
  void multiplyColumn(const Product &product, Tile base,
                      const Operands &operands, mlir::Value row, int64_t count);
  void multiplyWithUnit(const Product &product, const Operands &operands);
  void multiplyResults(const Product &product, const Operands &operands,
                       mlir::Value row, mlir::Value column, int64_t down,
                       llvm::ArrayRef<mlir::Value> panels,
                       llvm::ArrayRef<mlir::Value> excess);
  llvm::SmallVector<mlir::Value> panelsFrom(const Product &product,
                                            const Operands &operands,
                                            mlir::Value column, int64_t across);
  llvm::SmallVector<mlir::Value> loadRights(const Product &product,
                                            llvm::ArrayRef<mlir::Value> panels,
                                            mlir::Value line);
  llvm::SmallVector<mlir::Value> excessOf(const Product &product,
                                          const Operands &operands,
                                          llvm::ArrayRef<mlir::Value> panels);
  mlir::Value isEvenlySpaced(mlir::Value index);
  mlir::Value startOf(const Operands &operands, const Tile &tile);
  bool isHeldIn(mlir::Value value, const Buffer &buffer) const;
  mlir::Value multiplyAdd(mlir::Value left, mlir::Value right, mlir::Value sum);
  mlir::Value convert(mlir::Value value, mlir::Type element);

  //===--- Operands of products (InPlace.cpp, Panels.cpp)
  //------------------------------===//
  sg::LoadOp leftInUserMemory(const Product &product, mlir::Region *body);
  std::optional<Buffer> leftInScratch(const Product &product);
  mlir::Value isWholeInPlace(sg::LoadOp load, const Operands &operands,
                             mlir::Value depth);
  mlir::Value rowsAreEven(const Product &product, sg::LoadOp load);
  mlir::Value leftDistance(const Operands &operands, mlir::Type element);
  void readLeftInPlace(Operands &operands, sg::LoadOp load,
                       mlir::Value inPlace);
  sg::LoadOp rightInUserMemory(const Product &product, const Operands &operands,
                               mlir::Region *body);
  mlir::Value isFewRows(const Product &product, sg::LoadOp load,
                        const Operands &operands);
  mlir::Value isRightInPlace(const Product &product, sg::LoadOp load,
                             mlir::Value few, const Operands &operands);
  void readRightInPlace(const Product &product, sg::LoadOp load,
                        mlir::Value inPlace, Operands &operands);
  void packInvariantLefts(mlir::scf::ForOp loop);
  std::optional<Buffer> packedLeft(const Product &product);
  llvm::LogicalResult collectKeys(mlir::Value value, mlir::Region *body,
                                  llvm::SetVector<mlir::Value> &keys,
                                  llvm::DenseSet<mlir::Value> &seen);
  mlir::Value tagWord(mlir::Value value);
  Panels planKept(const Product &product, mlir::Value operand,
                  mlir::Region *body, int64_t elements, int64_t most,
                  int64_t bytes, int64_t ownWords, bool isSticky = false);
  Panels planPanels(const Product &product, mlir::Region *body,
                    int64_t capacity, int64_t groups, int64_t ownWords);

  //===--- Panels of the left operand (LeftPanels.cpp)
  //------------------------------===//
  Panels planLeftPanels(const Product &product, mlir::Region *body,
                        int64_t capacity, sg::LoadOp load);
  mlir::Value numberOfRows(const Product &product, const Panels &rows,
                           mlir::Value chunk, mlir::Value chunks);
  mlir::Value readsRowsInPlace(LeftUse &use, const Operands &operands,
                               sg::LoadOp load, mlir::Value possible);
  LeftUse findLeftPanels(const Product &product, const Panels &panels,
                         mlir::Value number, llvm::ArrayRef<mlir::Value> own,
                         mlir::Value inPlace, Operands &operands);
  void packLeftPanels(const Product &product, Tile base,
                      const Operands &operands, mlir::Value column);
  mlir::Value leftPanelRows(const Product &product, const Operands &operands);
  mlir::Value placeInPanel(const Product &product, const Operands &operands,
                           mlir::Value row, mlir::Value step,
                           mlir::Value count);
  void forEachTileOfRows(
      const Product &product, const Operands &operands,
      llvm::function_ref<void(mlir::Value row, mlir::Value count, int64_t most)>
          body);
  void packLeftTile(const Product &product, Tile base, const Operands &operands,
                    mlir::Value column, mlir::Value row, mlir::Value count,
                    int64_t most);
  void packLeftEdge(const Product &product, Tile base, const Operands &operands,
                    mlir::Value column, mlir::Value row, mlir::Value count,
                    mlir::Value whole);
  void packLeftAcross(const Product &product, Tile base,
                      const Operands &operands, mlir::Value column);
  void
  forEachStrip(const Product &product, const Operands &operands,
               llvm::function_ref<void(mlir::Value row, int64_t count)> body);
  Group findGroup(const Panels &panels, mlir::Value number,
                  llvm::ArrayRef<mlir::Value> own);
  mlir::Value chooseSlot(const Panels &panels, mlir::Value slot,
                         const Group &found);
  mlir::Value unless(mlir::Value condition, mlir::Value count);

  //===--- The part of a block that is needed (Demand.cpp) -------------===//
  bool isKnownAhead(mlir::Value value,
                    llvm::SetVector<mlir::Operation *> &missing);
  mlir::Value neededExtent(mlir::Value value, int64_t dim);
  llvm::SmallVector<mlir::Value> neededExtents(mlir::scf::ForOp loop);
  mlir::Value neededDepth(const Product &product);
  bool endTogether(const Product &product) const;
  mlir::Value packedSteps(const Product &product, const Operands &operands,
                          mlir::Value column);
  mlir::Value atMost(int64_t size, mlir::Value limit);

  //===--- Overlap of reads and writes (Aliasing.cpp) --------------------===//
  mlir::Value storesMeet(llvm::ArrayRef<sg::StoreOp> stores);
  mlir::Value resolveConflicts(llvm::ArrayRef<sg::StoreOp> stores,
                               mlir::Value meet,
                               llvm::SetVector<sg::LoadOp> &indexed);
  mlir::Value findConflict(sg::StoreOp store, sg::LoadOp load, bool inPlace,
                           mlir::Value meet);
  void takeCopy(sg::LoadOp load, mlir::Value conflict);
  bool isReadInPlace(mlir::Value expression, mlir::Value load);
  bool reads(mlir::Value expression, mlir::Value load);

  mlir::func::FuncOp kernel;
  mlir::func::FuncOp program;
  Machine machine;
  Plan plan;
  mlir::OpBuilder builder;
  mlir::Location loc;
  mlir::IRMapping scalars;
  llvm::DenseMap<mlir::Value, Buffer> buffers;
  llvm::DenseMap<mlir::Operation *, ReadView> views;
  /// The one number that a read finds in the current nest, where it is one.
  llvm::DenseMap<mlir::Operation *, mlir::Value> oneNumber;
  /// (Any number is a key; a DenseMap takes two of them for itself.)
  std::map<int64_t, mlir::Value> constants;
  llvm::DenseMap<int64_t, mlir::Value> laneCounts;
  mlir::Value vscale;
  llvm::DenseMap<mlir::Block *, mlir::Block *> blocks;
  mlir::Value scratch;
  llvm::SmallVector<Allocation> allocations;
  /// Left operands that were packed before the loops that multiply by them.
  struct PackedLeft {
    mlir::Value left;
    mlir::Block *block;
    Buffer buffer;
  };
  llvm::SmallVector<PackedLeft> packedLefts;
  mlir::Value gridArguments[6];
  /// Holds while no other thread of the device updates memory; null where that
  /// is not known.
  mlir::Value alone;

  /// The open loops of the current nest, outermost first.
  llvm::SmallVector<mlir::scf::ForOp> loops;
  /// points[d] is where values of depth d are computed.
  llvm::SmallVector<mlir::OpBuilder::InsertPoint> points;
  llvm::SmallVector<KnownBounds> knownBounds;
  std::map<std::vector<uintptr_t>, Lanes> cache;
  llvm::SmallVector<std::map<std::vector<uintptr_t>, Lanes>> cachesOutside;
  /// Blocks that a reduction still to come writes on the way.
  struct Filler {
    Buffer buffer;
    sg::ReduceOp by;
  };
  llvm::MapVector<mlir::Value, Filler> pending;
  llvm::DenseMap<mlir::Value, sg::ReduceOp> fillerFound;
  /// Those of the current nest, and their vectors that are not written yet.
  llvm::SmallVector<mlir::Value> fillers;
  struct Fill {
    mlir::Value block;
    Tile tile;
    Lanes lanes;
  };
  llvm::SmallVector<Fill> fills;
  /// Reductions that an earlier one did at the same time.
  llvm::DenseSet<mlir::Operation *> reduced;
  bool nestOpen = false;
  /// Nests so far, and what they ask for.
  unsigned nests = 0;
  Asked asked;
  /// Where the next program, or iteration, has the row of a read.
  llvm::DenseMap<mlir::Operation *, std::optional<ReadView>> nextRows;
  /// The number, of consecutive vectors, of the one that is evaluated, where
  /// what it reads should be asked for ahead.
  std::optional<int64_t> prefetches;
  /// True in a nest that does not ask for more of the row that it reads.
  bool prefetchesOnlyNext = false;
  /// True in a nest that stores what it computes of the row.
  bool storesRow = false;
  /// The starts of the tiles that are evaluated together (Networks.cpp).
  llvm::SmallVector<mlir::Value> group;

  friend class DepthScope;
};

/// Returns the product that a loop consists of, if it consists of one: its only
/// carried value is the accumulator, and each iteration depends on nothing but
/// the induction variable.
mlir::linalg::LinalgOp findOnlyProduct(mlir::scf::ForOp loop);

/// The widest vector of `elementType` that divides a block of `size` elements.
Width widthOf(const Machine &machine, mlir::Type elementType, int64_t size);

mlir::VectorType vectorType(Width width, mlir::Type element);

llvm::SmallVector<mlir::Value> transposed(mlir::OpBuilder &builder,
                                          mlir::Location loc,
                                          llvm::ArrayRef<mlir::Value> rows);

/// Returns true if each operation of a combiner works on vectors as on scalars.
bool isVectorizable(mlir::Block &combiner);

/// The kind of a combiner that is one operation of which the machines have a
/// reduction.
std::optional<mlir::vector::CombiningKind> kindOf(mlir::Block &combiner);

/// Moves stores of what a branch yields into its sides, where nothing else
/// needs it.
void sinkStores(mlir::func::FuncOp kernel);

/// Computes what is repeated along dimensions of a block before it is.
void narrowRepeated(mlir::func::FuncOp kernel);

/// Gives loops that accumulate for a reduction a version for a single
/// iteration.
void splitSingleTrips(mlir::func::FuncOp kernel);

/// Replaces products in a loop over K whose operands lie the other way around
/// by their transposes.
void turnProducts(mlir::func::FuncOp kernel, const Machine &machine);

/// Returns true if neighbours of `index` along `dim` mostly differ by one, so
/// that it pays to ask whether those of a vector do.
bool isMostlyConsecutive(mlir::Value index, int64_t dim = 0);

/// Returns true if neighbours of `index`, which are not all equal, mostly are.
bool isMostlyUniform(mlir::Value index);

/// Returns true if `value` is the counter of `loop`, plus something.
bool addsCounter(mlir::Value value, mlir::scf::ForOp loop);
/// The other blocks that are read from where `op` reads, not instead of it.
llvm::SmallVector<sg::LoadOp> otherReads(sg::LoadOp op);

/// Marks the exponentials of `kernel` whose argument is never positive.
void markNeverPositive(mlir::func::FuncOp kernel);

/// An accumulator that costs more vector operations than this is computed
/// before the product, so that the code of a register tile stays small.
constexpr unsigned kAccumulatorCost = 4;
/// Groups of packed panels that are told apart at most.
constexpr int64_t kMostGroups = 256;
/// Steps of a product's depth that its register tiles may take at once.
constexpr int64_t kStepsTogether = 4;

/// Returns true for the dialect's products of two blocks.
bool isProduct(mlir::Operation *op);

/// Returns true if a program of `kernel` may end by an assertion.
bool mayFail(mlir::func::FuncOp kernel);

/// The type that an element has in memory: bits take a byte, and floats of 16
/// bits or less move as integers, since that needs no unit that computes them.
mlir::Type memoryType(mlir::Type type);

/// Emits at the depth of a tile for as long as it lives.
class DepthScope {
public:
  DepthScope(Lowering &lowering, unsigned depth);
  ~DepthScope();

private:
  Lowering &lowering;
  mlir::OpBuilder::InsertPoint saved;
};

} // namespace seagrove::vectorize

#endif // SEAGROVE_LIB_CONVERSION_TENSORTOVECTOR_LOWERING_H
