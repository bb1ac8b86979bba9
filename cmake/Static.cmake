# EMBEDDING_STATIC: what was found by Dependencies.cmake, as archives, so that the program runs where these
# packages are not. Headers and definitions stay those of the packages; what Debian has no archive of comes
# from EMBEDDING_STATIC_LIBRARIES. Not the C library: a static glibc looks names up by the one that is there. On a Mac
# nothing that macOS has: libc++, libcurl, Accelerate; nor MLX, which is a library beside the program.

# embedding_use_archive(TARGET ARCHIVE [what the archive needs in its turn])
function(embedding_use_archive target archive)
  string(MAKE_C_IDENTIFIER "STATIC_${archive}" variable)
  # Not in a sysroot, where a cross compiler looks for all else.
  find_library(${variable} NAMES ${archive} PATHS ${EMBEDDING_STATIC_LIBRARIES}
    NO_DEFAULT_PATH NO_CMAKE_FIND_ROOT_PATH)
  find_library(${variable} NAMES ${archive})
  if(NOT ${variable})
    message(FATAL_ERROR "EMBEDDING_STATIC: ${archive} is nowhere. clients/npm/build_libraries.sh FOLDER "
      "makes what Debian and Homebrew lack, for -DEMBEDDING_STATIC_LIBRARIES=FOLDER.")
  endif()
  get_target_property(configurations ${target} IMPORTED_CONFIGURATIONS)
  if(configurations)
    foreach(configuration ${configurations})
      set_target_properties(${target} PROPERTIES IMPORTED_LOCATION_${configuration} ${${variable}})
    endforeach()
  endif()
  set_target_properties(${target} PROPERTIES IMPORTED_LOCATION ${${variable}})
  if(ARGN)
    set_property(TARGET ${target} APPEND PROPERTY INTERFACE_LINK_LIBRARIES ${ARGN})
  endif()
endfunction()

# pkg-config's targets are interfaces that name the shared library.
function(embedding_link_archive target archive)
  add_library(${target}-archive UNKNOWN IMPORTED)
  embedding_use_archive(${target}-archive ${archive})
  set_target_properties(PkgConfig::${target} PROPERTIES INTERFACE_LINK_LIBRARIES ${target}-archive)
endfunction()

embedding_use_archive(fmt::fmt libfmt.a)
embedding_use_archive(spdlog::spdlog libspdlog.a)
embedding_use_archive(simdjson::simdjson libsimdjson.a)
embedding_link_archive(hwy libhwy.a)
embedding_link_archive(utf8proc libutf8proc.a)
if(EMBEDDING_SERVER)
  embedding_use_archive(prometheus-cpp::core libprometheus-cpp-core.a)
  if(NOT APPLE)
    embedding_use_archive(CURL::libcurl libcurl.a OpenSSL::SSL OpenSSL::Crypto Threads::Threads)
  endif()
  set_property(TARGET hiredis PROPERTY INTERFACE_LINK_LIBRARIES "")
  embedding_use_archive(hiredis libhiredis.a)
  if(HIREDIS_SSL_LIBRARY)
    add_library(hiredis_ssl UNKNOWN IMPORTED)
    embedding_use_archive(hiredis_ssl libhiredis_ssl.a hiredis OpenSSL::SSL)
    set_property(TARGET hiredis PROPERTY INTERFACE_LINK_LIBRARIES hiredis_ssl)
  endif()
endif()
if(NOT APPLE)
  add_link_options(-static-libstdc++ -static-libgcc)
endif()
