# A toolchain: macOS on Apple silicon from another machine, to see that all compiles and links, by the
# compiler and against the libraries that scripts/make_macos_sysroot.sh makes. What it links is for that
# alone: its C++ library is zig's own, where MLX's is Apple's.
set(CMAKE_SYSTEM_NAME Darwin)
set(CMAKE_SYSTEM_PROCESSOR arm64)
set(sysroot ${CMAKE_CURRENT_LIST_DIR}/../build/macos-sysroot)
foreach(language C CXX)
  set(CMAKE_${language}_COMPILER_AR ${sysroot}/bin/ar)
  set(CMAKE_${language}_COMPILER_RANLIB ${sysroot}/bin/ranlib)
endforeach()
set(CMAKE_C_COMPILER ${sysroot}/bin/cc)
set(CMAKE_CXX_COMPILER ${sysroot}/bin/c++)
set(CMAKE_AR ${sysroot}/bin/ar)
set(CMAKE_RANLIB ${sysroot}/bin/ranlib)
set(CMAKE_INSTALL_NAME_TOOL ${sysroot}/bin/install_name_tool)
set(CMAKE_FIND_ROOT_PATH ${sysroot})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(ENV{PKG_CONFIG_LIBDIR} ${sysroot}/lib/pkgconfig)
# Boost 1.74 does not know by itself what a libc++ of 2022 and later has.
set(CMAKE_CXX_FLAGS_INIT
  "-DBOOST_ASIO_HAS_STD_INVOKE_RESULT=1 -DBOOST_ASIO_HAS_CO_AWAIT=1 -DBOOST_ASIO_HAS_STD_COROUTINE=1")
# By a Mac's sw_vers CMake sees whether the linker is new enough for this, and forgets it elsewhere: so this file is
# read again when that is done.
set(CMAKE_SHARED_LIBRARY_RUNTIME_C_FLAG "-Wl,-rpath,")
set(CMAKE_USER_MAKE_RULES_OVERRIDE ${CMAKE_CURRENT_LIST_FILE})
