//===- module.cpp - the Python module seagrove._seagrove ------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Bindings of include/seagrove/Api.h, and the home of the launch core
// (launch.h). Nothing here knows MLIR. python/seagrove/_seagrove.pyi states
// the types for the Python side.
//
//===----------------------------------------------------------------------===//

#include "dispatch.h"
#include "launch.h"
#include "plain_call.h"
#include "seagrove/Api.h"
#include "thread_pool.h"

#include <nanobind/nanobind.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

namespace nb = nanobind;
using namespace seagrove;

static const char *severityName(const api::Diagnostic &diagnostic) {
  switch (diagnostic.severity) {
  case api::Diagnostic::Severity::Error:
    return "error";
  case api::Diagnostic::Severity::Warning:
    return "warning";
  case api::Diagnostic::Severity::Remark:
    return "remark";
  }
  return "error";
}

static void bindData(nb::module_ &m) {
  nb::class_<api::Diagnostic>(m, "Diagnostic")
      .def_prop_ro("severity", severityName)
      .def_ro("file", &api::Diagnostic::file)
      .def_ro("line", &api::Diagnostic::line)
      .def_ro("column", &api::Diagnostic::column)
      .def_ro("code", &api::Diagnostic::code)
      .def_ro("message", &api::Diagnostic::message)
      .def_ro("notes", &api::Diagnostic::notes);

  nb::class_<api::Target>(m, "Target")
      .def(nb::init<>())
      .def_rw("triple", &api::Target::triple)
      .def_rw("cpu", &api::Target::cpu)
      .def_rw("features", &api::Target::features)
      .def_rw("vector_bits", &api::Target::vectorBits)
      .def_rw("vector_registers", &api::Target::vectorRegisters)
      .def_rw("scalable", &api::Target::scalable)
      .def_rw("scalable_unit_bits", &api::Target::scalableUnitBits)
      .def_rw("scalable_max_bits", &api::Target::scalableMaxBits)
      .def_rw("register_group", &api::Target::registerGroup)
      .def_rw("fma", &api::Target::fma)
      .def_rw("l1_bytes", &api::Target::l1Bytes)
      .def_rw("l2_bytes", &api::Target::l2Bytes)
      .def_rw("last_level_bytes", &api::Target::lastLevelBytes)
      .def_rw("attributes", &api::Target::attributes);

  nb::class_<api::CompileOptions>(m, "CompileOptions")
      .def(nb::init<>())
      .def_rw("opt_level", &api::CompileOptions::optLevel)
      .def_rw("enable_fp_fusion", &api::CompileOptions::enableFpFusion)
      .def_rw("planted_miscompile", &api::CompileOptions::plantedMiscompile)
      .def_rw("emit", &api::CompileOptions::emit)
      .def_rw("collect_timing", &api::CompileOptions::collectTiming)
      .def_rw("collect_decisions", &api::CompileOptions::collectDecisions);

  nb::class_<api::Decision>(m, "Decision")
      .def_ro("file", &api::Decision::file)
      .def_ro("line", &api::Decision::line)
      .def_ro("column", &api::Decision::column)
      .def_ro("topic", &api::Decision::topic)
      .def_ro("text", &api::Decision::text);

  nb::class_<api::CompileResult>(m, "CompileResult")
      .def_ro("ok", &api::CompileResult::ok)
      .def_ro("symbol", &api::CompileResult::symbol)
      .def_ro("scratch_bytes", &api::CompileResult::scratchBytes)
      .def_ro("waits", &api::CompileResult::waits)
      .def_ro("diagnostics", &api::CompileResult::diagnostics)
      .def_ro("decisions", &api::CompileResult::decisions)
      .def_prop_ro("output",
                   [](const api::CompileResult &result) {
                     return nb::bytes(result.output.data(),
                                      result.output.size());
                   })
      .def_prop_ro("timings", [](const api::CompileResult &result) {
        nb::list timings;
        for (const api::PassTiming &timing : result.timings)
          timings.append(nb::make_tuple(timing.name, timing.milliseconds));
        return timings;
      });
}

NB_MODULE(_seagrove, m) {
  bindData(m);
  using nogil = nb::call_guard<nb::gil_scoped_release>;
  m.def("compile", &api::compile, nb::arg("ttir"), nb::arg("target"),
        nb::arg("options"), nogil());
  m.def("run_passes", &api::runPasses, nb::arg("text"), nb::arg("pipeline"),
        nogil());
  m.def("llvm_targets", &api::llvmTargets);
  m.def("detect_host", &api::detectHost);
  m.def("build_id", &api::buildId);

  m.def("num_threads", &launch::numThreads);
  m.def("set_num_threads", &launch::setNumThreads, nb::arg("count"));
  if (!launch::addTypes(m.ptr()) || !launch::addDispatchTypes(m.ptr()) ||
      !launch::addPlainCallType(m.ptr()))
    nb::raise_python_error();
}
