# tests/test_data.h, of tests and fuzz targets.
add_library(test_data STATIC tests/test_data.cc)
target_compile_features(test_data PUBLIC cxx_std_20)
target_include_directories(test_data PUBLIC ${PROJECT_SOURCE_DIR}/tests)
target_compile_definitions(test_data PRIVATE
  TEST_DATA_DIR="${PROJECT_SOURCE_DIR}/tests/data" MODELS_DIR="${PROJECT_SOURCE_DIR}/models")
