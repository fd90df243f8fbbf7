// RUN: seagrove-opt %s --make-range-kernel --split-input-file --verify-diagnostics

// expected-error @below {{a program ends in 3 coordinates, 3 extents and a scratch pointer, but has only 2 argument(s)}}
func.func private @few.program(%x: !llvm.ptr, %scratch: !llvm.ptr)
    attributes {sg.kernel_name = "few"} {
  return
}

// -----

// expected-error @below {{coordinates and extents are i32, not 'i64'}}
func.func private @wide.program(%pid_x: i64, %pid_y: i32, %pid_z: i32,
                                %n_x: i32, %n_y: i32, %n_z: i32, %scratch: !llvm.ptr)
    attributes {sg.kernel_name = "wide"} {
  return
}

// -----

// expected-error @below {{the last argument is the scratch pointer, not 'i32'}}
func.func private @noscratch.program(%pid_x: i32, %pid_y: i32, %pid_z: i32,
                                     %n_x: i32, %n_y: i32, %n_z: i32, %scratch: i32)
    attributes {sg.kernel_name = "noscratch"} {
  return
}

// -----

// expected-error @below {{argument #0 of type 'vector<8xf32>' does not fit an 8-byte slot}}
func.func private @vector.program(%x: vector<8xf32>, %pid_x: i32, %pid_y: i32, %pid_z: i32,
                                  %n_x: i32, %n_y: i32, %n_z: i32, %scratch: !llvm.ptr)
    attributes {sg.kernel_name = "vector"} {
  return
}

// -----

// expected-error @below {{a program returns nothing, but this one has 1 result(s)}}
func.func private @result.program(%pid_x: i32, %pid_y: i32, %pid_z: i32,
                                  %n_x: i32, %n_y: i32, %n_z: i32, %scratch: !llvm.ptr) -> i32
    attributes {sg.kernel_name = "result"} {
  return %pid_x : i32
}

// -----

// expected-error @below {{a program needs a body}}
func.func private @nobody.program(i32, i32, i32, i32, i32, i32, !llvm.ptr)
    attributes {sg.kernel_name = "nobody"}

// -----

// expected-error @below {{attribute 'sg.kernel_name' must be a string}}
func.func private @unnamed.program(%pid_x: i32, %pid_y: i32, %pid_z: i32,
                                   %n_x: i32, %n_y: i32, %n_z: i32, %scratch: !llvm.ptr)
    attributes {sg.kernel_name = 7 : i32} {
  return
}

// -----

// expected-note @below {{by this operation}}
func.func private @taken()

// expected-error @below {{the symbol 'taken' of its range kernel is taken}}
func.func private @taken.program(%pid_x: i32, %pid_y: i32, %pid_z: i32,
                                 %n_x: i32, %n_y: i32, %n_z: i32, %scratch: !llvm.ptr)
    attributes {sg.kernel_name = "taken"} {
  return
}

// -----

// expected-error @+1 {{attribute 'sg.scratch_cleared' must be the first and the last byte}}
func.func private @cleared.program(%pid_x: i32, %pid_y: i32, %pid_z: i32,
                                   %n_x: i32, %n_y: i32, %n_z: i32, %scratch: !llvm.ptr)
    attributes {sg.kernel_name = "cleared", sg.scratch_cleared = array<i64: 64, 0>} {
  return
}
