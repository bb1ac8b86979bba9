// AMX's tiles, for the loop of tile_kernel-inl.h.
//
// The instructions are written as such: the compilers' functions for them differ, and GCC 12's for
// the configuration does not say that memory is read. So this can be compiled for any processor.
#pragma once

#include <cstddef>
#include <cstdint>

#include "backends/cpu/amx_tiles.h"

namespace embedding {

#if defined(__x86_64__)

// What this thread's tiles are configured for; 0 where they are not.
extern constinit thread_local size_t amx_configured_rows;
void ConfigureAmx(size_t rows);

struct AmxTiles {
  static void Configure(size_t rows) {
    if (rows != amx_configured_rows) ConfigureAmx(rows);
  }
  template <int tile>
  static void Zero() {
    asm volatile("tilezero %%tmm%c0" : : "i"(tile));
  }
  template <int tile>
  static void Load(const uint8_t* from, size_t stride) {
    asm volatile("tileloadd (%0,%1,1), %%tmm%c2" : : "r"(from), "r"(stride), "i"(tile) : "memory");
  }
  template <int tile>
  static void LoadOnce(const uint8_t* from, size_t stride) {
    asm volatile("tileloaddt1 (%0,%1,1), %%tmm%c2"
                 :
                 : "r"(from), "r"(stride), "i"(tile)
                 : "memory");
  }
  template <int tile>
  static void Store(uint8_t* to, size_t stride) {
    asm volatile("tilestored %%tmm%c2, (%0,%1,1)" : : "r"(to), "r"(stride), "i"(tile) : "memory");
  }
};

struct AmxBf16 : AmxTiles {
  static void Multiply(const PanelTile& tile) { MultiplyBf16ByAmx(tile); }
  template <int sums, int left, int right>
  static void Add() {
    asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(sums), "i"(left), "i"(right));
  }
};

struct AmxInt8 : AmxTiles {
  static void Multiply(const PanelTile& tile) { MultiplyInt8ByAmx(tile); }
  template <int sums, int left, int right>
  static void Add() {
    asm volatile("tdpbusd %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(sums), "i"(left), "i"(right));
  }
};

struct AmxDigits : AmxTiles {
  static void Multiply(const PanelTile& tile) { MultiplyDigitsByAmx(tile); }
  template <int sums, int left, int right>
  static void Add() {
    asm volatile("tdpbssd %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(sums), "i"(left), "i"(right));
  }
};

#else

struct AmxBf16;
struct AmxInt8;
struct AmxDigits;

#endif

}  // namespace embedding
