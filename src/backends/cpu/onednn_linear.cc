// oneDNN makes a kernel for every number of rows, and keeps memory with it. So rows are multiplied
// in pieces of a few sizes, for which kernels are made once; the last piece is filled up to its
// size with rows that nobody looks at. (AMX multiplies 16 rows at a time anyway.)
//
// Each product is cut into blocks of output features, and the thread team takes the blocks of each
// piece: oneDNN itself runs on the thread that calls it, so that its threads and the team's do not
// wait for the same processors.

#include "backends/cpu/onednn_linear.h"

#if defined(EMBEDDING_ONEDNN)

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <dnnl.hpp>
#include <unordered_map>
#include <vector>

// oneDNN's packages run on OpenMP, whose runtime comes with them; nothing else here needs it.
extern "C" void omp_set_num_threads(int threads) __attribute__((weak));

namespace embedding {
namespace {

using dnnl::memory;

constexpr std::array<size_t, 4> kPieceRows = {16, 32, 64, 128};
// Output features of a block: 1,024 x 128 bf16 are 256 KB, which stay in the L2 cache.
constexpr size_t kBlockColumns = 128;

memory::data_type TypeOf(DType type) {
  return type == DType::kF32 ? memory::data_type::f32 : memory::data_type::bf16;
}

dnnl::engine& Engine() {
  static dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

// This thread's, on which oneDNN starts no other.
dnnl::stream& Stream() {
  thread_local dnnl::stream stream = [] {
    if (omp_set_num_threads != nullptr) omp_set_num_threads(1);
    return dnnl::stream(Engine());
  }();
  return stream;
}

memory::dim Dim(size_t n) { return static_cast<memory::dim>(n); }

// Rows `stride` elements apart.
memory::desc Rows(DType type, size_t rows, size_t columns, size_t stride) {
  return {{Dim(rows), Dim(columns)}, TypeOf(type), memory::dims{Dim(stride), 1}};
}

// The difference between oneDNN 2.x, where an operation has a descriptor of its own, and 3.x.
dnnl::matmul::primitive_desc Describe(const memory::desc& input, const memory::desc& weight,
                                      const memory::desc& bias, const memory::desc& output,
                                      const dnnl::primitive_attr& attributes) {
#if DNNL_VERSION_MAJOR >= 3
  return {Engine(), input, weight, bias, output, attributes};
#else
  return {dnnl::matmul::desc(input, weight, bias, output), attributes, Engine()};
#endif
}

dnnl::algorithm AlgorithmOf(Activation activation) {
  switch (activation) {
    case Activation::kIdentity:
      break;
    case Activation::kTanh:
      return dnnl::algorithm::eltwise_tanh;
    case Activation::kRelu:
      return dnnl::algorithm::eltwise_relu;
    case Activation::kGelu:
      return dnnl::algorithm::eltwise_gelu_erf;
    case Activation::kGeluTanh:
      return dnnl::algorithm::eltwise_gelu_tanh;
    case Activation::kSigmoid:
      return dnnl::algorithm::eltwise_logistic;
    case Activation::kSilu:
      return dnnl::algorithm::eltwise_swish;
  }
  return dnnl::algorithm::undef;
}

dnnl::primitive_attr Attributes(Activation activation) {
  dnnl::primitive_attr attributes;
  // A primitive may then run on several threads at a time.
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  if (activation != Activation::kIdentity) {
    const dnnl::algorithm algorithm = AlgorithmOf(activation);
    constexpr float kAlpha = 1;  // of swish, x sigmoid(alpha x); the others here have none
    dnnl::post_ops post_ops;
#if DNNL_VERSION_MAJOR >= 3
    post_ops.append_eltwise(algorithm, kAlpha, 0.F);
#else
    post_ops.append_eltwise(1.F, algorithm, kAlpha, 0.F);
#endif
    attributes.set_post_ops(post_ops);
  }
  return attributes;
}

// Some rows of a product, and the size that they are multiplied as.
struct Piece {
  size_t first;
  size_t rows;
  size_t size;  // an index of kPieceRows
};

std::vector<Piece> Cut(size_t rows) {
  std::vector<Piece> pieces;
  for (size_t first = 0; first < rows;) {
    const size_t left = rows - first;
    size_t size = kPieceRows.size() - 1;
    // The largest that is filled, or else the smallest.
    while (size > 0 && kPieceRows[size] > left) --size;
    // One piece that is not quite filled is better than two.
    if (size + 1 < kPieceRows.size() && left > kPieceRows[size]) ++size;
    const size_t taken = std::min(left, kPieceRows[size]);
    pieces.push_back({first, taken, size});
    first += taken;
  }
  return pieces;
}

class OneDnnLinear : public Linear {
 public:
  OneDnnLinear(ThreadTeam& team, DType output, const LinearWeights& parameters,
               Activation activation)
      : team_(team),
        output_(output),
        output_bytes_(DTypeBytes(output)),
        in_features_(parameters.in_features),
        out_features_(parameters.out_features),
        attributes_(Attributes(activation)) {
    for (size_t first = 0; first < out_features_; first += kBlockColumns) {
      AddBlock(parameters, first, std::min(kBlockColumns, out_features_ - first));
    }
  }

  void Run(const InputView& view, const OutputView& output, const RowEpilogue& epilogue) override {
    const auto* const input = static_cast<const BFloat16*>(view.data);
    auto* const result = static_cast<uint8_t*>(output.data);
    const std::vector<Piece> pieces = Cut(view.rows);
    const Piece& last = pieces.back();
    const size_t last_rows = kPieceRows[last.size];
    const size_t row_bytes = out_features_ * output_bytes_;
    const bool fill_up = last.rows < last_rows;
    if (fill_up) {
      filled_input_.Resize(last_rows * in_features_);
      filled_output_.Resize(last_rows * row_bytes);
      BFloat16* const end = std::copy_n(input + last.first * in_features_, last.rows * in_features_,
                                        filled_input_.data());
      std::fill(end, filled_input_.data() + filled_input_.size(), BFloat16());
    }
    const auto multiply = [&](size_t task) {
      const Block& block = blocks_[task % blocks_.size()];
      const Piece& piece = pieces[task / blocks_.size()];
      const bool filled = fill_up && &piece == &last;
      uint8_t* const to = (filled ? filled_output_.data() : result + piece.first * row_bytes) +
                          block.first * output_bytes_;
      Multiply(block, piece.size,
               filled ? filled_input_.data() : input + piece.first * in_features_, to);
      if (!filled) return;
      for (size_t row = 0; row < piece.rows; ++row) {
        std::copy_n(to + row * row_bytes, block.columns * output_bytes_,
                    result + (piece.first + row) * row_bytes + block.first * output_bytes_);
      }
    };
    ParallelFor(team_, pieces.size() * blocks_.size(), multiply, output.rows, epilogue);
  }

 private:
  struct Kernel {
    dnnl::matmul primitive;
    memory::desc scratchpad;
  };
  using Kernels = std::array<Kernel, kPieceRows.size()>;
  struct Block {
    size_t first;  // output feature
    size_t columns;
    memory weight;
    memory bias;
    const Kernels* kernels;
  };

  dnnl::matmul::primitive_desc Describe(size_t rows, size_t columns,
                                        const memory::desc& weight) const {
    return embedding::Describe(Rows(DType::kBF16, rows, in_features_, in_features_), weight,
                               Rows(DType::kF32, 1, columns, columns),
                               Rows(output_, rows, columns, out_features_), attributes_);
  }

  void AddBlock(const LinearWeights& parameters, size_t first, size_t columns) {
    const memory::dims dims{Dim(in_features_), Dim(columns)};
    // The layout that is chosen for the largest piece is given to every other size: oneDNN would
    // choose the same (measured with 2.6 for 1 to 2,000 rows).
    const memory::desc layout =
        Describe(kPieceRows.back(), columns,
                 memory::desc(dims, memory::data_type::bf16, memory::format_tag::any))
            .weights_desc();
    Block block{first, columns, memory(layout, Engine()),
                memory(Rows(DType::kF32, 1, columns, columns), Engine()), nullptr};
    auto* const bias = static_cast<float*>(block.bias.get_data_handle());
    std::fill_n(bias, columns, 0.0F);
    if (!parameters.bias.empty()) std::copy_n(parameters.bias.data() + first, columns, bias);
    // [out, in] row-major is [in, out] with the strides exchanged.
    memory source(memory::desc(dims, memory::data_type::f32, memory::format_tag::ba), Engine(),
                  const_cast<float*>(parameters.weight.data() + first * in_features_));
    dnnl::reorder(source, block.weight).execute(Stream(), source, block.weight);
    Stream().wait();
    const auto [found, is_new] = kernels_.try_emplace(columns);
    if (is_new) {
      for (size_t size = 0; size < kPieceRows.size(); ++size) {
        const auto description = Describe(kPieceRows[size], columns, layout);
        found->second[size] = {dnnl::matmul(description), description.scratchpad_desc()};
      }
    }
    block.kernels = &found->second;
    blocks_.push_back(std::move(block));
  }

  void Multiply(const Block& block, size_t size, const BFloat16* input, void* output) const {
    const size_t rows = kPieceRows[size];
    const Kernel& kernel = (*block.kernels)[size];
    thread_local AlignedBuffer<uint8_t> scratchpad;
    scratchpad.Resize(std::max<size_t>(kernel.scratchpad.get_size(), 1));
    memory from(Rows(DType::kBF16, rows, in_features_, in_features_), Engine(),
                const_cast<BFloat16*>(input));
    memory to(Rows(output_, rows, block.columns, out_features_), Engine(), output);
    kernel.primitive.execute(
        Stream(), {{DNNL_ARG_SRC, from},
                   {DNNL_ARG_WEIGHTS, block.weight},
                   {DNNL_ARG_BIAS, block.bias},
                   {DNNL_ARG_DST, to},
                   {DNNL_ARG_SCRATCHPAD, memory(kernel.scratchpad, Engine(), scratchpad.data())}});
    Stream().wait();
  }

  ThreadTeam& team_;
  const DType output_;
  const size_t output_bytes_;  // of a number
  const size_t in_features_;
  const size_t out_features_;
  const dnnl::primitive_attr attributes_;
  std::unordered_map<size_t, Kernels> kernels_;  // by a block's columns, of which there are two
  std::vector<Block> blocks_;
  // Of the product that runs: its last piece.
  AlignedBuffer<BFloat16> filled_input_;
  AlignedBuffer<uint8_t> filled_output_;
};

// An instruction set's value has the bits of every set that it contains.
bool Has(dnnl::cpu_isa isa) {
  const auto bits = static_cast<unsigned>(isa);
  return (static_cast<unsigned>(dnnl::get_effective_cpu_isa()) & bits) == bits;
}

}  // namespace

std::unique_ptr<Linear> PackOneDnnLinear(ThreadTeam& team, DType output,
                                         const LinearWeights& weights, Activation activation) {
  return std::make_unique<OneDnnLinear>(team, output, weights, activation);
}

bool OneDnnUsesAmx() { return Has(dnnl::cpu_isa::avx512_core_amx); }
bool LimitOneDnnToAvx2() {
  return dnnl::set_max_cpu_isa(dnnl::cpu_isa::avx2) == dnnl::status::success;
}

std::string OneDnnName() {
  const dnnl_version_t* const version = dnnl_version();
  return fmt::format("{}.{}.{} {:x}", version->major, version->minor, version->patch,
                     static_cast<unsigned>(dnnl::get_effective_cpu_isa()));
}

}  // namespace embedding

#endif
