//===- Inliner.h - inlining of tt functions ---------------------*- C++ -*-===//
#ifndef SEAGROVE_LIB_DIALECT_TRITON_IR_INLINER_H
#define SEAGROVE_LIB_DIALECT_TRITON_IR_INLINER_H

namespace seagrove::tt {
class TritonDialect;
void addInlinerInterface(TritonDialect &dialect);
} // namespace seagrove::tt

#endif // SEAGROVE_LIB_DIALECT_TRITON_IR_INLINER_H
