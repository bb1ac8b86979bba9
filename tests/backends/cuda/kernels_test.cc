// The kernels compile for every GPU that the device takes: NVIDIA's compiler needs no GPU.
#include <gtest/gtest.h>

#include <string>

#include "backends/cuda/cuda_kernels.h"

namespace embedding {
namespace {

class CudaKernels : public testing::TestWithParam<int> {};
// A100, RTX 3090 (and A10), L4 (and RTX 4090), H100, B200, RTX 5090.
INSTANTIATE_TEST_SUITE_P(Architectures, CudaKernels, testing::Values(80, 86, 89, 90, 100, 120));

TEST_P(CudaKernels, Compile) {
  for (const ComputeType type : {ComputeType::kF32, ComputeType::kF16, ComputeType::kBF16}) {
    // Heads for the tensor cores and others; hidden sizes with whole vectors and without.
    for (const auto& [hidden_size, head_dim] :
         {std::pair<size_t, size_t>{1024, 64}, {768, 128}, {78, 26}}) {
      const auto program = CompileKernels({type, hidden_size, head_dim}, GetParam());
      ASSERT_TRUE(program.ok()) << program.error().message;
      EXPECT_EQ(program->substr(1, 3), "ELF");  // machine code, which a driver need not compile
    }
  }
}

// Of a GPU that is newer than the compiler.
TEST(CudaKernels, AnUnknownGpuGetsWhatItsDriverCompiles) {
  const auto program = CompileKernels({ComputeType::kF16, 384, 32}, 1000);
  ASSERT_TRUE(program.ok()) << program.error().message;
  EXPECT_NE(program->find(".target sm_"), std::string::npos);
}

}  // namespace
}  // namespace embedding
