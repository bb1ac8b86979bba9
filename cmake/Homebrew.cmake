# Homebrew keeps formulas that macOS has too out of the folders where CMake looks. Of these OpenSSL alone is
# wanted: libcurl is macOS's own.
find_program(BREW brew)
if(BREW)
  execute_process(COMMAND ${BREW} --prefix openssl@3 OUTPUT_VARIABLE prefix
    OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(prefix AND IS_DIRECTORY "${prefix}")
    list(APPEND CMAKE_PREFIX_PATH "${prefix}")
  endif()
endif()
