# What runs the server as a service, installed beside it, and the Debian package: the component
# "server", without the library. For the package the prefix has to be the distribution's:
#   cmake --preset release -DCMAKE_INSTALL_PREFIX=/usr && cmake --build --preset release
#   cpack --config build/release/CPackConfig.cmake -B build/packages
set(service_dir ${CMAKE_INSTALL_DATADIR}/embedding-service)
# Distributions' own prefix has its configuration outside.
if(CMAKE_INSTALL_PREFIX STREQUAL "/usr")
  set(config_dir /etc/embedding-service)
else()
  set(config_dir ${CMAKE_INSTALL_SYSCONFDIR}/embedding-service)
endif()
install(FILES ${PROJECT_SOURCE_DIR}/deploy/config.toml DESTINATION ${config_dir} COMPONENT server)
install(FILES ${PROJECT_SOURCE_DIR}/deploy/prometheus/alerts.yml
    ${PROJECT_SOURCE_DIR}/deploy/grafana/embedding-service.json
  DESTINATION ${service_dir} COMPONENT server)

# Written when it is installed: only then is the prefix known.
function(embedding_install_unit template destination)
  get_filename_component(name ${template} NAME_WLE)
  install(CODE "
    set(PROGRAM \${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}/embedding-service)
    set(CONFIG_DIR ${config_dir})
    if(NOT IS_ABSOLUTE \${CONFIG_DIR})
      set(CONFIG_DIR \${CMAKE_INSTALL_PREFIX}/\${CONFIG_DIR})
    endif()
    configure_file(${PROJECT_SOURCE_DIR}/deploy/${template} ${PROJECT_BINARY_DIR}/${name} @ONLY)"
    COMPONENT server)
  install(FILES ${PROJECT_BINARY_DIR}/${name} DESTINATION ${destination} COMPONENT server)
endfunction()
if(APPLE)
  embedding_install_unit(launchd/embedding-service.plist.in ${service_dir})
elseif(UNIX)
  embedding_install_unit(systemd/embedding-service.service.in lib/systemd/system)
endif()

set(CPACK_GENERATOR DEB)
set(CPACK_SET_DESTDIR ON)  # for the configuration outside of the prefix
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Text embeddings over HTTP, dense, sparse and ColBERT")
set(CPACK_PACKAGE_CONTACT "The embedding-service authors <embedding-service@localhost>")
set(CPACK_STRIP_FILES ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL server)
set(CPACK_COMPONENTS_GROUPING ALL_COMPONENTS_IN_ONE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_NAME embedding-service)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
if(EMBEDDING_MLX)
  file(GLOB folders ${EMBEDDING_MLX_FOLDER}/files/*.libs)  # of the wheel, where there is one
  set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${mlx_folder} ${folders})
endif()
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS ca-certificates)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(scripts ${PROJECT_SOURCE_DIR}/deploy/debian)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
  ${scripts}/postinst ${scripts}/prerm ${scripts}/postrm ${scripts}/conffiles)
include(CPack)
