#include "backends/tiles/emulated_instructions.h"

#if defined(__x86_64__) && defined(__linux__)

#include <signal.h>
#include <ucontext.h>
#include <unistd.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>

namespace embedding {
namespace {

// The state of AMX, of each thread.
struct Tile {
  size_t rows = 0;
  size_t row_bytes = 0;
  uint8_t bytes[16][64] = {};
};
thread_local Tile tiles[8];

[[noreturn]] void Fail(const char* what) {
  std::fprintf(stderr, "an emulated instruction: %s\n", what);
  _exit(1);
}

template <typename T>
T Read(const void* from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

// An instruction with a prefix of three bytes (VEX) and of the second map, as all of these are.
struct Instruction {
  int prefix;  // 0 none, 1 0x66, 2 0xF3, 3 0xF2
  bool wide;   // of 256 bits
  int code;
  int reg, rm, vvvv;  // of the registers' numbers; rm where is_register
  bool is_register;
  uint64_t base = 0;   // of the memory where not
  uint64_t index = 0;  // scaled
  const uint8_t* end;
};

uint64_t Register(const ucontext_t& context, int number) {
  constexpr int kPlaces[] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                             REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                             REG_R12, REG_R13, REG_R14, REG_R15};
  return static_cast<uint64_t>(context.uc_mcontext.gregs[kPlaces[number]]);
}

Instruction Decode(const ucontext_t& context) {
  const auto* at = reinterpret_cast<const uint8_t*>(context.uc_mcontext.gregs[REG_RIP]);
  if (at[0] != 0xC4 || (at[1] & 0x1F) != 2) Fail("unknown");
  const auto extended = [bits = at[1]](int bit) { return (bits >> bit & 1) == 0 ? 8 : 0; };
  Instruction found{};
  found.prefix = at[2] & 3;
  found.wide = (at[2] & 4) != 0;
  found.vvvv = ~(at[2] >> 3) & 15;
  found.code = at[3];
  const int mode = at[4] >> 6;
  found.reg = (at[4] >> 3 & 7) | extended(7);
  found.rm = (at[4] & 7) | extended(5);
  found.is_register = mode == 3;
  at += 5;
  if (!found.is_register) {
    int base = found.rm;
    if ((found.rm & 7) == 4) {
      const int index = (*at >> 3 & 7) | extended(6);
      base = (*at & 7) | extended(5);
      if (index != 4) found.index = Register(context, index) << (*at >> 6);
      ++at;
    }
    if (mode == 0 && (base & 7) == 5) Fail("an address without a register");
    found.base = Register(context, base);
    if (mode == 1) found.base += static_cast<uint64_t>(Read<int8_t>(at));
    if (mode == 2) found.base += static_cast<uint64_t>(Read<int32_t>(at));
    at += mode == 1 ? 1 : mode == 2 ? 4 : 0;
  }
  found.end = at;
  return found;
}

Tile& Configured(int tile) {
  if (tiles[tile & 7].rows == 0) Fail("a tile that is not configured");
  return tiles[tile & 7];
}

void Configure(const uint8_t* from) {
  if (from[0] != 1) Fail("another palette than 1");
  for (size_t i = 0; i < 8; ++i) {
    const size_t row_bytes = Read<uint16_t>(from + 16 + 2 * i);
    const size_t rows = from[48 + i];
    if (rows > 16 || row_bytes > 64 || (rows == 0) != (row_bytes == 0)) Fail("a size of a tile");
    tiles[i] = {rows, row_bytes, {}};
  }
}

float FlushSubnormal(float x) {
  return std::fpclassify(x) == FP_SUBNORMAL ? std::copysign(0.0F, x) : x;
}

float Bf16(const uint8_t* from) {
  const uint32_t bits = uint32_t{Read<uint16_t>(from)} << 16;
  return FlushSubnormal(Read<float>(&bits));
}

template <typename Sum, typename Dot>
void MultiplyTiles(const Instruction& instruction, const Dot& dot) {
  Tile& sums = Configured(instruction.reg);
  const Tile& a = Configured(instruction.rm);
  const Tile& b = Configured(instruction.vvvv);
  if (&sums == &a || &sums == &b || &a == &b) Fail("a tile that is named twice");
  if (sums.rows != a.rows || a.row_bytes / 4 != b.rows || sums.row_bytes != b.row_bytes) {
    Fail("tiles whose sizes do not fit");
  }
  for (size_t row = 0; row < sums.rows; ++row) {
    for (size_t column = 0; column < sums.row_bytes; column += 4) {
      const Sum sum = dot(Read<Sum>(sums.bytes[row] + column), a.bytes[row], b, column);
      std::memcpy(sums.bytes[row] + column, &sum, sizeof(sum));
    }
  }
}

float DotBf16(float sum, const uint8_t* row, const Tile& b, size_t column) {
  float of[2] = {0, 0};
  for (size_t k = 0; k < b.rows; ++k) {
    for (size_t i = 0; i < 2; ++i) {
      const float x = Bf16(row + 4 * k + 2 * i);
      of[i] = FlushSubnormal(std::fma(x, Bf16(b.bytes[k] + column + 2 * i), of[i]));
    }
  }
  return FlushSubnormal(FlushSubnormal(sum) + FlushSubnormal(of[0] + of[1]));
}

// `Left`: how bytes of x count, those of w being signed.
template <typename Left>
int32_t DotBytes(int32_t sum, const uint8_t* x, const uint8_t* w) {
  for (size_t i = 0; i < 4; ++i) sum += static_cast<Left>(x[i]) * static_cast<int8_t>(w[i]);
  return sum;
}

template <typename Left>
int32_t DotInt8(int32_t sum, const uint8_t* row, const Tile& b, size_t column) {
  for (size_t k = 0; k < b.rows; ++k) sum = DotBytes<Left>(sum, row + 4 * k, b.bytes[k] + column);
  return sum;
}

// The halves of a register of 256 bits, where the kernel keeps them for the handler: Intel's
// manual, volume 1, 13.4.
struct Halves {
  uint8_t* low;
  uint8_t* high;
};
Halves VectorRegister(const ucontext_t& context, int number) {
  auto* const area = reinterpret_cast<uint8_t*>(context.uc_mcontext.fpregs);
  area[512] |= 4;  // the upper halves are to be restored, even if they have all been 0
  return {area + 160 + 16 * number, area + 576 + 16 * number};
}

void AddDotsOfBytes(const ucontext_t& context, const Instruction& instruction) {
  const Halves left = VectorRegister(context, instruction.vvvv);
  const Halves sums = VectorRegister(context, instruction.reg);
  auto* const memory = reinterpret_cast<uint8_t*>(instruction.base + instruction.index);
  const Halves right = instruction.is_register ? VectorRegister(context, instruction.rm)
                                               : Halves{memory, memory + 16};
  const auto add = [](uint8_t* to, const uint8_t* x, const uint8_t* w) {
    for (size_t i = 0; i < 16; i += 4) {
      const int32_t sum = DotBytes<uint8_t>(Read<int32_t>(to + i), x + i, w + i);
      std::memcpy(to + i, &sum, sizeof(sum));
    }
  };
  add(sums.low, left.low, right.low);
  add(sums.high, left.high, right.high);
}

void Do(const ucontext_t& context, const Instruction& instruction) {
  enum { kNone, k66, kF3, kF2 };
  auto* const base = reinterpret_cast<uint8_t*>(instruction.base);
  const auto is = [&](int code, int prefix) {
    return instruction.code == code && instruction.prefix == prefix;
  };
  if (is(0x49, kNone) && !instruction.is_register) {
    Configure(base);
  } else if (is(0x49, kNone)) {
    for (Tile& tile : tiles) tile = {};
  } else if (is(0x49, kF2)) {
    std::memset(Configured(instruction.reg).bytes, 0, sizeof(Tile::bytes));
  } else if (is(0x4B, kF2) || is(0x4B, k66)) {
    Tile& tile = Configured(instruction.reg);
    for (size_t r = 0; r < tile.rows; ++r) {
      std::memcpy(tile.bytes[r], base + r * instruction.index, tile.row_bytes);
    }
  } else if (is(0x4B, kF3)) {
    const Tile& tile = Configured(instruction.reg);
    for (size_t r = 0; r < tile.rows; ++r) {
      std::memcpy(base + r * instruction.index, tile.bytes[r], tile.row_bytes);
    }
  } else if (is(0x5C, kF3)) {
    MultiplyTiles<float>(instruction, DotBf16);
  } else if (is(0x5E, k66)) {
    MultiplyTiles<int32_t>(instruction, DotInt8<uint8_t>);
  } else if (is(0x5E, kF2)) {
    MultiplyTiles<int32_t>(instruction, DotInt8<int8_t>);
  } else if (is(0x50, k66) && instruction.wide) {
    AddDotsOfBytes(context, instruction);
  } else {
    Fail("unknown");
  }
}

void OnIllegalInstruction(int, siginfo_t*, void* raw_context) {
  auto& context = *static_cast<ucontext_t*>(raw_context);
  const Instruction instruction = Decode(context);
  Do(context, instruction);
  context.uc_mcontext.gregs[REG_RIP] = reinterpret_cast<greg_t>(instruction.end);
}

}  // namespace

bool CanEmulateInstructions() { return true; }

void EmulateInstructions() {
  struct sigaction action = {};
  action.sa_sigaction = OnIllegalInstruction;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGILL, &action, nullptr);
}

}  // namespace embedding

#else

namespace embedding {

bool CanEmulateInstructions() { return false; }
void EmulateInstructions() {}

}  // namespace embedding

#endif
