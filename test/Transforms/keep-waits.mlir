// RUN: seagrove-opt %s -split-input-file -keep-waits | FileCheck %s

// A program waits for a flag. The read would otherwise move out of the loop.

// CHECK-LABEL: module attributes {sg.waits}
// CHECK: scf.while
// CHECK: tt.load %{{.*}} {isVolatile = true}
module {
  tt.func public @wait(%flag: !tt.ptr<i32>, %pid: i32) {
    %c0 = arith.constant 0 : i32
    scf.while : () -> () {
      %address = tt.addptr %flag, %pid : !tt.ptr<i32>, i32
      %value = tt.load %address : !tt.ptr<i32>
      %go_on = arith.cmpi eq, %value, %c0 : i32
      scf.condition(%go_on)
    } do {
      scf.yield
    }
    tt.return
  }
}

// -----

// The flag is read in the body, within a condition, for the next test.

// CHECK-LABEL: module attributes {sg.waits}
// CHECK: } do {
// CHECK: scf.if
// CHECK: tt.load %{{.*}} {isVolatile = true}
module {
  tt.func public @wait_in_the_body(%flag: !tt.ptr<i32>, %polite: i1) {
    %c0 = arith.constant 0 : i32
    %last = scf.while (%seen = %c0) : (i32) -> i32 {
      %go_on = arith.cmpi eq, %seen, %c0 : i32
      scf.condition(%go_on) %seen : i32
    } do {
    ^bb0(%old: i32):
      %new = scf.if %polite -> i32 {
        %value = tt.load %flag : !tt.ptr<i32>
        scf.yield %value : i32
      } else {
        scf.yield %old : i32
      }
      scf.yield %new : i32
    }
    tt.return
  }
}

// -----

// A lock.

// CHECK-LABEL: module attributes {sg.waits}
// CHECK: tt.atomic_cas
module {
  tt.func public @lock(%lock: !tt.ptr<i32>) {
    %c0 = arith.constant 0 : i32
    %c1 = arith.constant 1 : i32
    scf.while : () -> () {
      %old = tt.atomic_cas acq_rel, gpu, %lock, %c0, %c1 : (!tt.ptr<i32>, i32, i32) -> i32
      %go_on = arith.cmpi eq, %old, %c1 : i32
      scf.condition(%go_on)
    } do {
      scf.yield
    }
    tt.return
  }
}

// -----

// The same lock is given back behind the loop: programs may run in any order.

// CHECK-LABEL: module {
// CHECK: @lock_and_unlock
module {
  tt.func public @lock_and_unlock(%locks: !tt.ptr<i32>, %sum: !tt.ptr<f32>, %group: i32, %x: f32) {
    %c0 = arith.constant 0 : i32
    %c1 = arith.constant 1 : i32
    %true = arith.constant true
    tt.store %sum, %x : !tt.ptr<f32>
    %lock = tt.addptr %locks, %group : !tt.ptr<i32>, i32
    scf.while : () -> () {
      %old = tt.atomic_cas acq_rel, gpu, %lock, %c0, %c1 : (!tt.ptr<i32>, i32, i32) -> i32
      %go_on = arith.cmpi ne, %old, %c0 : i32
      scf.condition(%go_on)
    } do {
      scf.yield
    }
    %count = tt.addptr %lock, %c1 : !tt.ptr<i32>, i32
    %first = tt.atomic_rmw exch, acq_rel, gpu, %count, %c1, %true : (!tt.ptr<i32>, i32, i1) -> i32
    %free = tt.atomic_rmw exch, acq_rel, gpu, %lock, %c0, %true : (!tt.ptr<i32>, i32, i1) -> i32
    tt.return
  }
}

// -----

// It is given back only sometimes: another program may have to do it.

// CHECK-LABEL: module attributes {sg.waits}
// CHECK: @sometimes
module {
  tt.func public @sometimes(%lock: !tt.ptr<i32>, %last: i1) {
    %c0 = arith.constant 0 : i32
    %c1 = arith.constant 1 : i32
    scf.while : () -> () {
      %old = tt.atomic_cas acq_rel, gpu, %lock, %c0, %c1 : (!tt.ptr<i32>, i32, i32) -> i32
      %go_on = arith.cmpi eq, %old, %c1 : i32
      scf.condition(%go_on)
    } do {
      scf.yield
    }
    %free = tt.atomic_rmw exch, acq_rel, gpu, %lock, %c0, %last : (!tt.ptr<i32>, i32, i1) -> i32
    tt.return
  }
}

// -----

// A later program may free a lock that is taken at the start.

// CHECK-LABEL: module attributes {sg.waits}
// CHECK: @freed_from_outside
module {
  tt.func public @freed_from_outside(%locks: !tt.ptr<i32>, %pid: i32, %is_last: i1) {
    %c0 = arith.constant 0 : i32
    %c1 = arith.constant 1 : i32
    %true = arith.constant true
    scf.if %is_last {
      tt.store %locks, %c0 : !tt.ptr<i32>
    }
    scf.while : () -> () {
      %old = tt.atomic_cas acq_rel, gpu, %locks, %c0, %c1 : (!tt.ptr<i32>, i32, i32) -> i32
      %go_on = arith.cmpi eq, %old, %c1 : i32
      scf.condition(%go_on)
    } do {
      scf.yield
    }
    %free = tt.atomic_rmw exch, acq_rel, gpu, %locks, %c0, %true : (!tt.ptr<i32>, i32, i1) -> i32
    tt.return
  }
}

// -----

// Programs take turns: whose it is depends on their ids.

// CHECK-LABEL: module attributes {sg.waits}
// CHECK: @turns
module {
  tt.func public @turns(%turn: !tt.ptr<i32>, %pid: i32) {
    %c1 = arith.constant 1 : i32
    %true = arith.constant true
    %next = arith.addi %pid, %c1 : i32
    scf.while : () -> () {
      %old = tt.atomic_cas acq_rel, gpu, %turn, %pid, %pid : (!tt.ptr<i32>, i32, i32) -> i32
      %go_on = arith.cmpi ne, %old, %pid : i32
      scf.condition(%go_on)
    } do {
      scf.yield
    }
    %free = tt.atomic_rmw exch, acq_rel, gpu, %turn, %next, %true : (!tt.ptr<i32>, i32, i1) -> i32
    tt.return
  }
}

// -----

// A list is walked: each read is of another address, and what does not decide
// whether the loop goes on stays as it is.

// CHECK-LABEL: module {
// CHECK-NOT: isVolatile
module {
  tt.func public @walk(%next: !tt.ptr<i32>, %weight: !tt.ptr<f32>, %out: !tt.ptr<f32>) {
    %c0 = arith.constant 0 : i32
    %zero = arith.constant 0.0 : f32
    %end:2 = scf.while (%at = %c0, %sum = %zero) : (i32, f32) -> (i32, f32) {
      %go_on = arith.cmpi sge, %at, %c0 : i32
      scf.condition(%go_on) %at, %sum : i32, f32
    } do {
    ^bb0(%at: i32, %sum: f32):
      %address = tt.addptr %next, %at : !tt.ptr<i32>, i32
      %to = tt.load %address : !tt.ptr<i32>
      %w = tt.load %weight : !tt.ptr<f32>
      %more = arith.addf %sum, %w : f32
      scf.yield %to, %more : i32, f32
    }
    tt.store %out, %end#1 : !tt.ptr<f32>
    tt.return
  }
}

// -----

// Memory, not a cache, is asked for.

// CHECK-LABEL: module {
// CHECK: tt.load %{{.*}} {{.*}}isVolatile = true
module {
  tt.func public @uncached(%x: !tt.ptr<f32>, %out: !tt.ptr<f32>) {
    %value = tt.load %x cacheModifier = cv : !tt.ptr<f32>
    tt.store %out, %value : !tt.ptr<f32>
    tt.return
  }
}

// -----

// Triton 3.9 has an operation that waits: it becomes a loop around a read.

// CHECK-LABEL: module attributes {sg.waits}
// CHECK: %[[R:.*]]:2 = scf.while (%[[TRIES:.*]] = %{{.*}}) : (i64) -> (i1, i64)
// CHECK: %[[SEEN:.*]] = tt.atomic_rmw or, acquire, gpu, %{{.*}}, %{{.*}} : (!tt.ptr<i32>, i32) -> i32
// CHECK: %[[FOUND:.*]] = arith.cmpi eq, %[[SEEN]], %{{.*}} : i32
// CHECK: arith.cmpi slt, %[[TRIES]], %{{.*}} : i64
// CHECK: scf.condition(%{{.*}}) %[[FOUND]], %[[TRIES]]
module {
  tt.func public @poll(%flag: !tt.ptr<i32>, %timeout: i64) -> i1 {
    %c1 = arith.constant 1 : i32
    %found = tt.atomic_poll acquire, gpu, %flag, %c1 timeout %timeout : !tt.ptr<i32>, i32 -> i1
    tt.return %found : i1
  }
}

// -----

// Atomic reads and writes are updates.

// CHECK-LABEL: tt.func public @copy
// CHECK: %[[P:.*]] = tt.bitcast %{{.*}} : !tt.ptr<f32> -> !tt.ptr<i32>
// CHECK: %[[B:.*]] = tt.atomic_rmw or, acquire, gpu, %[[P]], %{{.*}} : (!tt.ptr<i32>, i32) -> i32
// CHECK: %[[V:.*]] = tt.bitcast %[[B]] : i32 -> f32
// CHECK: tt.atomic_rmw exch, release, gpu, %{{.*}}, %[[V]] : (!tt.ptr<f32>, f32) -> f32
module {
  tt.func public @copy(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>) {
    %value = tt.atomic_load acquire, gpu, %x : (!tt.ptr<f32>) -> f32
    tt.atomic_store release, gpu, %y, %value : !tt.ptr<f32>
    tt.return
  }
}
