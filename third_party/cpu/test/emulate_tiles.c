/* Emulates the tile instructions of x86 (AMX) on a machine that lacks them.
 *
 * Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * A processor without them, and a system that has not granted them to the
 * process, answers with an illegal instruction. The handler decodes it, does
 * what the manual says, and goes on behind it. Loading the library installs it.
 * Source: Intel 64 and IA-32 Architectures Software Developer's Manual, vol. 2,
 * the pages of LDTILECFG, TILELOADD, TILESTORED, TILEZERO, TDPBF16PS, TDPBSSD.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

enum { TILES = 8, ROWS = 16, ROW_BYTES = 64 };

struct state {
  uint8_t config[64];
  uint8_t data[TILES][ROWS][ROW_BYTES];
};

static __thread struct state *tls __attribute__((tls_model("initial-exec")));
static volatile long emulated;

long emulated_instructions(void) { return emulated; }

static struct state *state_of_thread(void) {
  if (!tls)
    tls = mmap(0, sizeof(struct state), PROT_READ | PROT_WRITE,
               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return tls;
}

static int rows_of(const struct state *s, int tile) {
  return s->config[48 + tile];
}
static int bytes_of(const struct state *s, int tile) {
  return s->config[16 + 2 * tile] | s->config[17 + 2 * tile] << 8;
}

static uint64_t *reg(ucontext_t *context, int number) {
  static const int order[16] = {
      REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
      REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
  return (uint64_t *)&context->uc_mcontext.gregs[order[number]];
}

struct operand {
  uint64_t base, stride;
  int length; /* bytes of ModRM, SIB and displacement */
};

/* A memory operand whose ModRM byte is at `p`, with the VEX bits X and B. */
static struct operand decode(ucontext_t *context, const uint8_t *p, int x,
                             int b) {
  struct operand result = {0, 0, 1};
  int mod = p[0] >> 6, rm = p[0] & 7;
  int has_base = 1, base = rm | b << 3;
  if (rm == 4) {
    int scale = p[1] >> 6, index = (p[1] >> 3 & 7) | x << 3;
    base = (p[1] & 7) | b << 3;
    has_base = !((p[1] & 7) == 5 && mod == 0);
    if (index != 4)
      result.stride = *reg(context, index) << scale;
    result.length = 2;
  }
  if (has_base)
    result.base = *reg(context, base);
  int32_t displacement = 0;
  if (mod == 1) {
    displacement = (int8_t)p[result.length];
    result.length += 1;
  } else if (mod == 2 || !has_base) {
    memcpy(&displacement, p + result.length, 4);
    result.length += 4;
  }
  result.base += (int64_t)displacement;
  return result;
}

static float from_bf16(const uint8_t *p) {
  uint32_t bits = (uint32_t)(p[0] | p[1] << 8) << 16;
  float value;
  memcpy(&value, &bits, 4);
  return value;
}

static void multiply_floats(struct state *s, int c, int a, int b) {
  for (int m = 0; m < rows_of(s, c); ++m)
    for (int k = 0; k < bytes_of(s, a) / 4; ++k)
      for (int n = 0; n < bytes_of(s, c) / 4; ++n) {
        float sum;
        memcpy(&sum, &s->data[c][m][4 * n], 4);
        for (int i = 0; i < 2; ++i)
          sum += from_bf16(&s->data[a][m][4 * k + 2 * i]) *
                 from_bf16(&s->data[b][k][4 * n + 2 * i]);
        memcpy(&s->data[c][m][4 * n], &sum, 4);
      }
}

static void multiply_bytes(struct state *s, int c, int a, int b) {
  for (int m = 0; m < rows_of(s, c); ++m)
    for (int k = 0; k < bytes_of(s, a) / 4; ++k)
      for (int n = 0; n < bytes_of(s, c) / 4; ++n) {
        int32_t sum;
        memcpy(&sum, &s->data[c][m][4 * n], 4);
        for (int i = 0; i < 4; ++i)
          sum += (int8_t)s->data[a][m][4 * k + i] *
                 (int8_t)s->data[b][k][4 * n + i];
        memcpy(&s->data[c][m][4 * n], &sum, 4);
      }
}

/* Bytes of the instruction at `p`, which was done; 0 if it is another one. */
static int emulate(ucontext_t *context, const uint8_t *p) {
  enum { NONE, P66, PF3, PF2 };
  if (p[0] != 0xC4 || (p[1] & 31) != 2 || p[2] & 0x84)
    return 0;
  int x = !(p[1] & 0x40), b = !(p[1] & 0x20);
  int prefix = p[2] & 3, third = ~(p[2] >> 3) & 15;
  int mod = p[4] >> 6, first = p[4] >> 3 & 7, second = p[4] & 7;
  struct state *s = state_of_thread();
  struct operand memory = {0, 0, 1};
  if (mod != 3)
    memory = decode(context, p + 4, x, b);
  switch (p[3]) {
  case 0x49:
    if (prefix == NONE && mod != 3) {
      memcpy(s->config, (void *)memory.base, 64);
      memset(s->data, 0, sizeof(s->data));
    } else if (prefix == NONE) {
      memset(s, 0, sizeof(*s));
    } else if (prefix == PF2 && mod == 3) {
      memset(s->data[first], 0, sizeof(s->data[first]));
    } else {
      return 0;
    }
    return 4 + memory.length;
  case 0x4B:
    if (mod == 3 || prefix == NONE)
      return 0;
    if (prefix != PF3)
      memset(s->data[first], 0, sizeof(s->data[first]));
    for (int row = 0; row < rows_of(s, first); ++row) {
      void *there = (void *)(memory.base + row * memory.stride);
      if (prefix == PF3)
        memcpy(there, s->data[first][row], bytes_of(s, first));
      else
        memcpy(s->data[first][row], there, bytes_of(s, first));
    }
    return 4 + memory.length;
  case 0x5C:
    if (mod != 3 || prefix != PF3)
      return 0;
    multiply_floats(s, first, second, third);
    return 5;
  case 0x5E:
    if (mod != 3 || prefix != PF2)
      return 0;
    multiply_bytes(s, first, second, third);
    return 5;
  default:
    return 0;
  }
}

static void handle(int number, siginfo_t *info, void *raw) {
  (void)number;
  (void)info;
  ucontext_t *context = raw;
  int length =
      emulate(context, (const uint8_t *)context->uc_mcontext.gregs[REG_RIP]);
  if (length == 0) {
    signal(SIGILL, SIG_DFL); /* the instruction faults again, as it should */
    return;
  }
  __atomic_fetch_add(&emulated, 1, __ATOMIC_RELAXED);
  context->uc_mcontext.gregs[REG_RIP] += length;
}

__attribute__((constructor)) static void install(void) {
  struct sigaction action = {0};
  action.sa_sigaction = handle;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  sigaction(SIGILL, &action, 0);
}
