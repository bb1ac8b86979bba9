# Homebrew keeps formulas that macOS has too out of the folders where CMake looks.
find_program(BREW brew)
if(BREW)
  foreach(formula openssl@3 curl)
    execute_process(COMMAND ${BREW} --prefix ${formula} OUTPUT_VARIABLE prefix
      OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    if(prefix AND IS_DIRECTORY "${prefix}")
      list(APPEND CMAKE_PREFIX_PATH "${prefix}")
    endif()
  endforeach()
endif()
