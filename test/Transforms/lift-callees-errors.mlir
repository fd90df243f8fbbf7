// RUN: seagrove-opt %s -lift-callees -verify-diagnostics

// expected-error @below {{SG0213: this function has a loop without an end}}
tt.func private @forever(%x: i32) -> i32 {
  cf.br ^again
^again:
  cf.br ^again
}
