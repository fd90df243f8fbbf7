# Finds MLIR 22 and makes it linkable as static archives with hidden symbols.
#
# Debian builds its MLIR archives against libLLVM.so, so each exported target
# carries "LLVM" in its link interface. A second LLVM in the process aborts when
# the triton wheel is loaded globally; we therefore replace that entry by the
# static components, once, here.

find_package(MLIR 22.1 REQUIRED CONFIG)
find_package(LLD REQUIRED CONFIG HINTS "${LLVM_CMAKE_DIR}/../lld")
message(STATUS "Seagrove: LLVM ${LLVM_PACKAGE_VERSION} in ${LLVM_DIR}")
message(STATUS "Seagrove: targets ${LLVM_TARGETS_TO_BUILD}")

list(APPEND CMAKE_MODULE_PATH "${MLIR_CMAKE_DIR}" "${LLVM_CMAKE_DIR}")
include(TableGen)
include(AddLLVM)
include(AddMLIR)

if(NOT EXISTS "${MLIR_TABLEGEN_EXE}")
  find_program(MLIR_TABLEGEN_EXE mlir-tblgen REQUIRED
    HINTS "${MLIR_INSTALL_PREFIX}/bin" "${LLVM_TOOLS_BINARY_DIR}")
endif()

llvm_map_components_to_libnames(_seagrove_llvm
  core support analysis passes lto dtlto libdriver windowsmanifest irreader
  asmparser bitwriter bitreader linker ipo target targetparser
  frontendopenmp frontendoffloading ${LLVM_TARGETS_TO_BUILD})
add_library(seagrove_llvm_static INTERFACE)
target_link_libraries(seagrove_llvm_static INTERFACE ${_seagrove_llvm})

foreach(_target ${MLIR_EXPORTED_TARGETS} lldELF lldCommon)
  if(TARGET ${_target})
    get_target_property(_links ${_target} INTERFACE_LINK_LIBRARIES)
    if(_links)
      list(TRANSFORM _links REPLACE "^(LLVM|\\$<LINK_ONLY:LLVM>)$" "seagrove_llvm_static")
      list(REMOVE_DUPLICATES _links)
      set_target_properties(${_target} PROPERTIES INTERFACE_LINK_LIBRARIES "${_links}")
    endif()
  endif()
endforeach()

include_directories(SYSTEM ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS} ${LLD_INCLUDE_DIRS})
separate_arguments(_seagrove_defs NATIVE_COMMAND "${LLVM_DEFINITIONS}")
add_definitions(${_seagrove_defs})

# Gives a library the precompiled header, which the first caller defines.
function(seagrove_use_precompiled_headers name)
  if(NOT TARGET seagrove_pch)
    set(_empty "${CMAKE_BINARY_DIR}/seagrove_pch.cpp")
    file(GENERATE OUTPUT "${_empty}" CONTENT "// The carrier of the precompiled header.\n")
    add_library(seagrove_pch STATIC "${_empty}")
    target_compile_options(seagrove_pch PRIVATE ${SEAGROVE_CXX_FLAGS})
    target_precompile_headers(seagrove_pch PRIVATE
      <mlir/Dialect/Arith/IR/Arith.h>
      <mlir/Dialect/ControlFlow/IR/ControlFlowOps.h>
      <mlir/Dialect/Func/IR/FuncOps.h>
      <mlir/Dialect/LLVMIR/LLVMDialect.h>
      <mlir/Dialect/Linalg/IR/Linalg.h>
      <mlir/Dialect/Math/IR/Math.h>
      <mlir/Dialect/SCF/IR/SCF.h>
      <mlir/Dialect/Tensor/IR/Tensor.h>
      <mlir/Dialect/UB/IR/UBOps.h>
      <mlir/Dialect/Vector/IR/VectorOps.h>
      <mlir/IR/Builders.h>
      <mlir/IR/BuiltinOps.h>
      <mlir/IR/IRMapping.h>
      <mlir/Pass/PassManager.h>
      <mlir/Transforms/DialectConversion.h>
      <mlir/Transforms/GreedyPatternRewriteDriver.h>)
  endif()
  target_precompile_headers(${name} REUSE_FROM seagrove_pch)
endfunction()

# seagrove_library(NAME SOURCES... [DEPENDS targets] [LINK libraries])
# One static library of the trunk, built the way LLVM is built.
function(seagrove_library name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
  target_compile_options(${name} PRIVATE ${SEAGROVE_CXX_FLAGS})
  if(SEAGROVE_PCH)
    seagrove_use_precompiled_headers(${name})
  endif()
  target_link_libraries(${name} PUBLIC ${ARG_LINK})
endfunction()

# seagrove_matrix_unit(LIBRARY NAMESPACE)
# Links a chip's matrix unit and has seagrove::NAMESPACE::registerMatrixUnit()
# called once, so that shared code names no chip.
function(seagrove_matrix_unit library namespace)
  target_link_libraries(SeagroveCompiler PUBLIC ${library})
  set_property(GLOBAL APPEND PROPERTY SEAGROVE_MATRIX_UNITS ${namespace})
endfunction()

# Writes the header that Register.cpp includes, once all directories were read.
function(seagrove_write_matrix_units)
  get_property(_units GLOBAL PROPERTY SEAGROVE_MATRIX_UNITS)
  set(_declarations "")
  set(_calls "")
  foreach(unit ${_units})
    string(APPEND _declarations "namespace seagrove::${unit} { void registerMatrixUnit(); }\n")
    string(APPEND _calls "  seagrove::${unit}::registerMatrixUnit();\n")
  endforeach()
  file(CONFIGURE OUTPUT "${CMAKE_BINARY_DIR}/include/seagrove/MatrixUnits.inc"
    CONTENT "@_declarations@static void registerMatrixUnits() {\n@_calls@}\n" @ONLY)
endfunction()
