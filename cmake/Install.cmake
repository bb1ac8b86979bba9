# What cmake --install installs: the library, its public headers, the package by which find_package
# finds it, and the server if it is built.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

target_include_directories(embedding_library INTERFACE
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
set(backends embedding_backends embedding_backend_cpu)
foreach(backend gpu cuda)
  if(TARGET embedding_backend_${backend})
    list(APPEND backends embedding_backend_${backend})
  endif()
endforeach()
if(EMBEDDING_MLX)
  # MLX as it was found, and what is beside it: its kernels for Metal, the libraries of its wheel.
  set(modules lib/embedding-service)
  get_filename_component(mlx_folder ${MLX_LIBRARY} DIRECTORY)
  file(GLOB mlx_files ${mlx_folder}/*.metallib ${EMBEDDING_MLX_FOLDER}/files/*.libs/*.so*)
  install(FILES ${MLX_LIBRARY} ${mlx_files} DESTINATION ${modules} COMPONENT server)
  if(APPLE)
    list(APPEND backends embedding_backend_mlx)
  else()
    install(TARGETS embedding_mlx_module LIBRARY DESTINATION ${modules} COMPONENT server)
  endif()
endif()
install(TARGETS embedding_library embedding_engine embedding_cache ${backends} embedding_model
    embedding_weights embedding_text embedding_base
  EXPORT embeddingTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/embedding
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
if(EMBEDDING_SERVER)
  install(TARGETS embedding-service RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT server)
  install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT server)
  if(TARGET embedding_documents)
    set(documents ${PROJECT_BINARY_DIR}/documents)
    install(FILES ${documents}/embedding-service.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1
      COMPONENT server)
    install(FILES ${documents}/embedding-service.bash RENAME embedding-service
      DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions COMPONENT server)
    install(FILES ${documents}/_embedding-service
      DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions COMPONENT server)
    install(FILES ${documents}/embedding-service.fish
      DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d COMPONENT server)
  endif()
  include(${CMAKE_CURRENT_LIST_DIR}/Package.cmake)
endif()

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/embedding)
install(EXPORT embeddingTargets NAMESPACE embedding:: DESTINATION ${package})
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/embeddingConfig.cmake.in
  ${PROJECT_BINARY_DIR}/embeddingConfig.cmake INSTALL_DESTINATION ${package}
  NO_SET_AND_CHECK_MACRO NO_CHECK_REQUIRED_COMPONENTS_MACRO)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/embeddingConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/embeddingConfig.cmake
  ${PROJECT_BINARY_DIR}/embeddingConfigVersion.cmake DESTINATION ${package})
