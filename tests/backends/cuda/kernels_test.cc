// The kernels compile for every GPU that the device takes: NVIDIA's compiler needs no GPU.
#include <gtest/gtest.h>

#include <string>

#include "backends/cuda/cuda_kernels.h"

namespace embedding {
namespace {

// Heads for the tensor cores and others; hidden sizes with whole vectors and without; tables of
// another size; relative positions.
const KernelOptions kOptions[] = {
    {ComputeType::kF16, 1024, 1024, 64},
    {ComputeType::kBF16, 768, 128, 128},
    {ComputeType::kBF16, 768, 768, 256, 0, 0, true},
    {ComputeType::kF16, 768, 768, 64, 128},
    {ComputeType::kF32, 768, 768, 64},
    {ComputeType::kF32, 78, 78, 26, 9000},
    {ComputeType::kBF16, 78, 78, 26, 0, 0, true},
    {ComputeType::kF16, 768, 768, 64, 0, 512, true},
};

class CudaKernels : public testing::TestWithParam<int> {};
// A100, RTX 3090 (and A10), L4 (and RTX 4090), H100, B200, RTX 5090.
INSTANTIATE_TEST_SUITE_P(Architectures, CudaKernels, testing::Values(80, 86, 89, 90, 100, 120));

TEST_P(CudaKernels, Compile) {
  for (const KernelOptions& options : kOptions) {
    const auto program = CompileKernels(options, GetParam());
    ASSERT_TRUE(program.ok()) << program.error().message;
    EXPECT_EQ(program->substr(1, 3), "ELF");  // machine code, which a driver need not compile
  }
}

// Of a GPU that is newer than the compiler.
TEST(CudaKernels, AnUnknownGpuGetsWhatItsDriverCompiles) {
  const auto program = CompileKernels(kOptions[0], 1000);
  ASSERT_TRUE(program.ok()) << program.error().message;
  EXPECT_NE(program->find(".target sm_"), std::string::npos);
}

}  // namespace
}  // namespace embedding
