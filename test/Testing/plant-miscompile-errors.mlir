// RUN: seagrove-opt %s --plant-miscompile=kind=no-such-kind -verify-diagnostics

// expected-error @below {{no mistake is called 'no-such-kind'}}
module {
}
