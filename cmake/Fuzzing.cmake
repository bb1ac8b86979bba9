# EMBEDDING_FUZZ: every object counts the edges that it runs, which is what libFuzzer steers by.
if(NOT EMBEDDING_FUZZ)
  return()
endif()
include(CheckCXXSourceCompiles)

set(CMAKE_REQUIRED_FLAGS -fsanitize=fuzzer)
set(CMAKE_REQUIRED_LINK_OPTIONS -fsanitize=fuzzer)
check_cxx_source_compiles([[
#include <cstddef>
#include <cstdint>
extern "C" int LLVMFuzzerTestOneInput(const uint8_t*, size_t) { return 0; }
]] EMBEDDING_HAS_LIBFUZZER)
unset(CMAKE_REQUIRED_FLAGS)
unset(CMAKE_REQUIRED_LINK_OPTIONS)
if(NOT EMBEDDING_HAS_LIBFUZZER)
  message(FATAL_ERROR
    "EMBEDDING_FUZZ needs a compiler with libFuzzer, and ${CMAKE_CXX_COMPILER} cannot link "
    "-fsanitize=fuzzer. Use clang++ (the preset \"fuzz\" does) with its runtime libraries: "
    "scripts/install_dependencies.sh dev installs them.")
endif()
add_compile_options(-fsanitize=fuzzer-no-link)
