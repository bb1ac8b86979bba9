# What makes a memory error harder to exploit, for the code of src/ and all that is linked of it;
# tests/e2e/test_hardening.py reads it off the binary. Each flag is tried first: compilers, linkers and
# processors differ.
include(CheckCXXCompilerFlag)
include(CheckCXXSourceCompiles)
include(CheckLinkerFlag)

add_library(embedding_hardening INTERFACE)

function(embedding_harden_compiler flag)
  string(MAKE_C_IDENTIFIER "HAVE${flag}" have)
  check_cxx_compiler_flag(${flag} ${have})
  if(${have})
    target_compile_options(embedding_hardening INTERFACE ${flag})
  endif()
endfunction()

# For the programs of this project. As an option of embedding_hardening it would reach those of others
# that link the library.
function(embedding_harden_linker flag)
  string(MAKE_C_IDENTIFIER "HAVE${flag}" have)
  check_linker_flag(CXX ${flag} ${have})
  if(${have})
    add_link_options(${flag})
  endif()
endfunction()

# Canaries in frames that have arrays or whose locals' addresses are taken.
embedding_harden_compiler(-fstack-protector-strong)
# Indirect jumps and returns go only where the code means them to.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  embedding_harden_compiler(-fcf-protection=full)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64" AND NOT APPLE)
  embedding_harden_compiler(-mbranch-protection=standard)
endif()

# Addresses that differ at each start, also of the program itself. Apple's linker does no other.
# Not CMAKE_POSITION_INDEPENDENT_CODE: it makes static libraries -fPIC, whose calls are slower.
# For tests and benchmarks too: they are linked with it. A project that has this one as a subdirectory
# decides for itself.
if(NOT APPLE)
  check_cxx_compiler_flag(-fPIE HAVE_fPIE)
  check_linker_flag(CXX -pie HAVE_pie)
  if(PROJECT_IS_TOP_LEVEL AND NOT CMAKE_POSITION_INDEPENDENT_CODE AND HAVE_fPIE AND HAVE_pie)
    add_compile_options(-fPIE)
    add_link_options($<$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>:-pie>)
  endif()
  # Everything that the dynamic linker writes is resolved at the start and read-only from then on.
  embedding_harden_linker(-Wl,-z,relro)
  embedding_harden_linker(-Wl,-z,now)
  embedding_harden_linker(-Wl,-z,noexecstack)
endif()

# memcpy and the like check the bounds that the compiler knows: 2 where they are constant, 3 also
# where they are computed (g++ 12, clang 9, glibc 2.34). It needs an optimiser, the sanitizers have
# checks of their own, and -U because some distributions define it themselves.
if(NOT EMBEDDING_SANITIZE)
  set(CMAKE_REQUIRED_FLAGS "-O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3")
  check_cxx_source_compiles("
    #include <cstdlib>
    #if defined(__GLIBC__) && __USE_FORTIFY_LEVEL < 3
    #error this C library or compiler has no level 3
    #endif
    int main() {}" HAVE_FORTIFY_SOURCE_3)
  unset(CMAKE_REQUIRED_FLAGS)
  target_compile_options(embedding_hardening INTERFACE
    $<$<CONFIG:Release,RelWithDebInfo,MinSizeRel>:-U_FORTIFY_SOURCE>
    $<$<CONFIG:Release,RelWithDebInfo,MinSizeRel>:-D_FORTIFY_SOURCE=$<IF:$<BOOL:${HAVE_FORTIFY_SOURCE_3}>,3,2>>)
endif()
