# Warnings for this project's own targets; libraries' headers are system headers and exempt.
add_library(embedding_warnings INTERFACE)
target_compile_options(embedding_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Woverloaded-virtual)
if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
  target_compile_options(embedding_warnings INTERFACE -Wthread-safety)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # g++ 12 reports overlapping copies inside std::string's operator+ (GCC bug 105651).
  target_compile_options(embedding_warnings INTERFACE -Wno-restrict)
endif()
if(EMBEDDING_WERROR)
  target_compile_options(embedding_warnings INTERFACE -Werror)
endif()
