//===- Tiles.h - tiles, buffers and what the chip has -----------*- C++ -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the parts of the lowering (Lowering.h) hand to one another.
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_LIB_CONVERSION_TENSORTOVECTOR_TILES_H
#define SEAGROVE_LIB_CONVERSION_TENSORTOVECTOR_TILES_H

#include "Plan.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "seagrove/Dialect/Access/IR/Access.h"
#include "seagrove/Support/MatrixUnit.h"

namespace seagrove::vectorize {

/// What the lowering asks of the chip; filled from pass options.
struct Machine {
  int64_t vectorBits = 256;
  int64_t vectorRegisters = 16;
  /// Vectors of a length that is known at run time only hold a power of two
  /// times `scalableUnitBits`, at most `scalableMaxBits`, in each of up to
  /// `registerGroup` registers; 0 where there are none.
  int64_t scalableUnitBits = 0;
  int64_t scalableMaxBits = 0;
  int64_t registerGroup = 1;
  int64_t l1Bytes = 32 << 10;
  int64_t l2Bytes = 512 << 10;
  int64_t lastLevelBytes = 32 << 20;
  bool fma = true;
  /// A maximum or minimum that picks by comparison is one operation, and one
  /// that skips NaN is several.
  bool comparesMaximum = false;
  /// Rows are asked for ahead into the second level, and one that is read
  /// several times while the one before it is read last but not yet stored.
  bool rowsToSecondLevel = false;
  /// What is read once is read fastest half a line of the cache at a time, and
  /// written past the caches as fast as by whole ones.
  bool streamsByHalves = false;
  /// What multiplies small matrices, in the order of preference.
  llvm::SmallVector<const MatrixUnit *> units;

  /// The largest number of units in a register.
  int64_t maxVscale() const;
  /// The same machine, of which only the least length of vectors is used.
  Machine withFixedVectors() const;
};

/// How many elements a vector holds: `lanes`, times what the machine says at
/// run time where `scalable` is set.
struct Width {
  Width(int64_t lanes = 1, bool scalable = false)
      : lanes(lanes), scalable(scalable) {}

  int64_t lanes;
  bool scalable;
};

struct Coordinate {
  mlir::Value start;
  /// The depth of the nest at which `start` is defined; 0 is outside of it.
  unsigned depth = 0;
  /// The dimension of the nest's domain that it runs over, or -1.
  int64_t nestDim = -1;
};

struct Tile {
  llvm::SmallVector<Coordinate> coordinates;
  /// The dimension that `width` covers, or -1 for a single element.
  int64_t vectorDim = -1;
  Width width;
  /// True where each structured access is known to be in bounds along the
  /// vector dimension.
  bool interior = false;
  /// Another dimension along which that is so, or -1.
  int64_t insideDim = -1;
  /// True where an index along the vector dimension that may wrap does not.
  bool unwrapped = false;
  /// Where tiles are evaluated as a group along `insideDim`: the coordinates of
  /// all of them (see Transposes.cpp).
  llvm::ArrayRef<mlir::Value> neighbours;
  /// True where each of the comparisons that `comparisonOf` finds is known to
  /// hold.
  bool passesComparisons = false;
};

/// Consecutive positions, `offset` and `from`, if there is one, plus an iota,
/// that are compared to be less than `end`.
struct Comparison {
  mlir::Value from, end;
  int64_t offset = 0, size = 0;
};
std::optional<Comparison> comparisonOf(mlir::Operation *op);

/// Along which dimension reads are contiguous that are not along the vectors of
/// a nest, so that they are transposed in registers.
struct Crossing {
  int64_t dim = -1;
  /// Tiles along `dim` that are evaluated together.
  int64_t tiles = 1;
  /// Indices along `dim` that must not wrap.
  llvm::SmallVector<mlir::Value> indices;
};

/// The value of an expression over a tile: a vector of its width, or one scalar
/// where all lanes are equal.
struct Lanes {
  mlir::Value value;
  bool uniform = false;
};

/// A block in the scratch area; strides count in elements.
struct Buffer {
  mlir::Value pointer;
  llvm::SmallVector<int64_t> strides;
  mlir::Type elementType;
};

/// The size of a line of the caches.
constexpr int64_t kLineBits = 512;

/// Elements from which on a row is long enough to ask for it ahead.
constexpr int64_t kLongRow = 256;
/// What costs no more than this for a vector waits for memory.
constexpr int64_t kStreamedCost = 12;

/// Where a structured read really reads: the user's memory, or a copy of it
/// that was taken because a later write may overlap (see Aliasing.cpp).
struct ReadView {
  mlir::Value pointer;
  llvm::SmallVector<mlir::Value> strides;
};

/// How to compute where the row after the one that an operation reads begins:
/// that of the next program, or of the next iteration of `loop`.
struct NextRow {
  mlir::scf::ForOp loop;
  /// The iterations of `loop` read parts of one row.
  bool isPart = false;
  /// What is computed again, in order, and of which scalars; `moved` of these
  /// are greater by a step.
  llvm::SmallVector<mlir::Operation *> dependents;
  llvm::SmallVector<mlir::Value> sources, moved;
};

/// What the nests so far ask for ahead.
struct Asked {
  /// The number of the nest that reads from a base first, and once more.
  llvm::DenseMap<mlir::Value, unsigned> firstNest, secondNest;
  /// Those of which a nest that stores nothing asks for the next row.
  llvm::DenseSet<mlir::Value> nextAsked;

  /// Adds what the other branch asks for.
  void add(const Asked &other) {
    firstNest.insert_range(other.firstNest);
    secondNest.insert_range(other.secondNest);
    nextAsked.insert_range(other.nextAsked);
  }
};

/// Bounds that hold for each iteration of a loop of the nest.
struct KnownBounds {
  mlir::Value low, high;
};

/// A product of two blocks and how the machine's registers divide it.
struct Product {
  Product(mlir::linalg::LinalgOp op, const Machine &machine);

  void chooseUnit(const Machine &machine);
  /// As how many matrices each operand is packed.
  int64_t parts() const { return unit ? step.parts : 1; }

  mlir::linalg::LinalgOp op;
  mlir::Value left, right, accumulator, result;
  bool batched;
  int64_t rows, columns, depth;
  /// The type that the operands have where they are packed, which is that of
  /// the products unless the matrix unit multiplies.
  mlir::Type compute;
  /// The matrix unit and its step, where it can do it.
  const MatrixUnit *unit = nullptr;
  MatrixStep step = {};
  /// The register tile: `tileRows` rows of `vectors` vectors of `width`.
  Width width;
  int64_t vectors, tileRows;
  /// Rows are divided evenly among the register tiles below one another, so
  /// that no small remainder is left over: the first `tallTiles` of them have
  /// one row more than `shortTile`.
  int64_t tiles() const { return llvm::divideCeil(rows, tileRows); }
  int64_t shortTile() const { return rows / tiles(); }
  int64_t tallTiles() const { return rows % tiles(); }
};

/// Packed groups of panels that programs keep for one another, in `slots`.
struct Panels {
  Buffer buffer, tags;
  /// Elements of a group.
  int64_t elements = 0;
  /// Zero where nothing is kept.
  int64_t slots = 0;
  /// Words of a tag.
  int64_t words = 0;
  /// True where a group outlives some meetings with others that share its slot.
  /// What finds no slot is in a further group, behind the last one. The last
  /// word of a tag is for the caller, the one before it counts what is left of
  /// its life.
  bool isSticky = false;
  llvm::SmallVector<mlir::Value> keys;
};

/// One of the reductions that a line does at once.
struct Part {
  mlir::Block *combiner;
  size_t inputs;
  std::optional<mlir::vector::CombiningKind> kind;
  /// True where no lane of the state can be NaN, so that a comparison is
  /// enough; such a reduction finds no number where all elements are NaN.
  bool compares = false;
};

/// Reductions of one element, or one strip of elements, along the axis.
struct Line {
  llvm::SmallVector<Part> parts;
  /// Those of all parts.
  llvm::SmallVector<mlir::Value> inputs;
  mlir::RankedTensorType type;
  Tile tile;
  int64_t axis, size;
  bool alongLanes;
  /// How far one vector reaches along the axis.
  Width stride;
  /// Independent chains: enough to hide the latency of an addition behind the
  /// throughput of two units.
  int64_t mostChains = 4;
  /// True where comparisons of positions hold in the interior.
  bool passes = false;
};

using TileBody = llvm::function_ref<void(const Tile &)>;
/// Takes one tile beyond all bounds, and what runs a body for all of them.
using BeyondBody =
    llvm::function_ref<void(const Tile &, llvm::function_ref<void(TileBody)>)>;

/// The part of the blocks carried by a loop that goes through its iterations
/// together: some vectors along one dimension.
struct Carried {
  llvm::SmallVector<int64_t> shape;
  int64_t vectorDim = 0, vectors = 1;
  Width width;
  /// How much of each dimension anything reads; null where that is all of it.
  llvm::SmallVector<mlir::Value> needed;
};

} // namespace seagrove::vectorize

#endif // SEAGROVE_LIB_CONVERSION_TENSORTOVECTOR_TILES_H
