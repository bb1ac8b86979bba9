# Boost.Asio's coroutines, header-only. Clang before 17 has C++20 coroutines without announcing them
# the way libstdc++ and Asio look for, hence the definitions.
add_library(embedding_asio INTERFACE)
target_link_libraries(embedding_asio INTERFACE Boost::headers Threads::Threads)
if(CMAKE_CXX_COMPILER_ID STREQUAL Clang AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 17)
  target_compile_definitions(embedding_asio INTERFACE
    __cpp_impl_coroutine=201902L BOOST_ASIO_HAS_CO_AWAIT BOOST_ASIO_HAS_STD_COROUTINE)
endif()
