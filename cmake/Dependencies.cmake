# Every library comes from the system's packages (scripts/install_dependencies.sh names them).
if(APPLE)
  include(cmake/Homebrew.cmake)
endif()
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(simdjson REQUIRED)
if(EMBEDDING_SERVER OR NOT APPLE)
  find_package(OpenSSL REQUIRED)
endif()
if(APPLE AND EMBEDDING_BLAS STREQUAL Accelerate)
  set(BLAS_LIBRARY "-framework Accelerate")
elseif(NOT APPLE AND EMBEDDING_BLAS MATCHES "^(OpenBLAS|BLIS)$")
  string(TOLOWER ${EMBEDDING_BLAS} blas)
  find_library(BLAS_LIBRARY ${blas} REQUIRED)
elseif(EMBEDDING_BLAS)
  message(FATAL_ERROR "EMBEDDING_BLAS is not ${EMBEDDING_BLAS}: it is Accelerate or OFF on a Mac, and "
    "OpenBLAS, BLIS or OFF elsewhere")
endif()
if(EMBEDDING_MLX)
  # The CMake package of its wheels names folders of the machines that they were made on.
  find_library(MLX_LIBRARY mlx HINTS ${EMBEDDING_MLX_FOLDER}/files/mlx/lib REQUIRED)
  find_path(MLX_INCLUDE_DIR mlx/mlx.h HINTS ${EMBEDDING_MLX_FOLDER}/files/mlx/include REQUIRED)
  # The wheel's name of it on a Mac has programs look in their own list of folders, which CMake then makes.
  add_library(mlx::mlx SHARED IMPORTED)
  set_target_properties(mlx::mlx PROPERTIES IMPORTED_LOCATION ${MLX_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${MLX_INCLUDE_DIR})
  if(APPLE)
    set_target_properties(mlx::mlx PROPERTIES IMPORTED_SONAME @rpath/libmlx.dylib)
  endif()
endif()
find_package(PkgConfig REQUIRED)
# These two have no CMake package in every distribution that has the library.
pkg_check_modules(hwy REQUIRED IMPORTED_TARGET libhwy)
pkg_check_modules(utf8proc REQUIRED IMPORTED_TARGET libutf8proc)

if(EMBEDDING_SERVER)
  find_package(Boost 1.74 REQUIRED)
  find_package(CLI11 REQUIRED)
  find_package(CURL 7.62 REQUIRED)
  # Its CMake package asks for what its other libraries need too.
  find_library(PROMETHEUS_CORE_LIBRARY prometheus-cpp-core REQUIRED)
  find_path(PROMETHEUS_INCLUDE_DIR prometheus/registry.h REQUIRED)
  add_library(prometheus-cpp::core UNKNOWN IMPORTED)
  set_target_properties(prometheus-cpp::core PROPERTIES
    IMPORTED_LOCATION ${PROMETHEUS_CORE_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${PROMETHEUS_INCLUDE_DIR}
    INTERFACE_LINK_LIBRARIES Threads::Threads)
  # Its CMake package is not in every distribution that has it, nor is its TLS part (since 1.0).
  find_library(HIREDIS_LIBRARY hiredis REQUIRED)
  find_path(HIREDIS_INCLUDE_DIR hiredis/hiredis.h REQUIRED)
  add_library(hiredis UNKNOWN IMPORTED)
  set_target_properties(hiredis PROPERTIES IMPORTED_LOCATION ${HIREDIS_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${HIREDIS_INCLUDE_DIR})
  find_library(HIREDIS_SSL_LIBRARY hiredis_ssl)
  if(HIREDIS_SSL_LIBRARY)
    set_target_properties(hiredis PROPERTIES
      INTERFACE_LINK_LIBRARIES "${HIREDIS_SSL_LIBRARY};OpenSSL::SSL"
      INTERFACE_COMPILE_DEFINITIONS EMBEDDING_REDIS_TLS)
  endif()
  # Headers alone; its CMake package takes one major version, and 3 and 4 both do.
  find_path(TOML11_INCLUDE_DIR toml.hpp REQUIRED)
  add_library(toml11 INTERFACE)
  target_include_directories(toml11 SYSTEM INTERFACE ${TOML11_INCLUDE_DIR})
endif()
if(EMBEDDING_TESTS)
  find_package(GTest REQUIRED)
endif()
if(EMBEDDING_TESTS OR EMBEDDING_BENCH OR EMBEDDING_FUZZ)
  find_package(nlohmann_json REQUIRED)  # another's JSON, for references
endif()
if(EMBEDDING_BENCH)
  find_package(benchmark REQUIRED)
endif()
