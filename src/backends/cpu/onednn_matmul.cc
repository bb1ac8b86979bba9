// oneDNN picks a kernel for a given number of rows when a primitive is made, which costs 0.2 ms, a
// tenth of a whole small model's forward pass. Layers of one shape share the kernels through
// oneDNN's own cache; here each weight keeps the primitives of the row counts it has met. The
// packed layout was chosen for kRowsToPackFor rows and is given to every other count: oneDNN
// would choose the same (measured with 2.6 for 1 to 2,000 rows).

#include "backends/cpu/onednn_matmul.h"

#include <algorithm>
#include <dnnl.hpp>
#include <type_traits>
#include <unordered_map>

namespace embedding {
namespace {

using dnnl::memory;

constexpr size_t kRowsToPackFor = 512;
// Row counts are bounded by the backend's chunks of 512 rows; this bounds them whoever calls.
constexpr size_t kMaxPrimitives = 1024;

template <typename T>
constexpr memory::data_type kType =
    std::is_same_v<T, float> ? memory::data_type::f32 : memory::data_type::bf16;

dnnl::engine& Engine() {
  static dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

memory::dim Dim(size_t n) { return static_cast<memory::dim>(n); }

template <typename T>
memory::desc RowMajor(size_t rows, size_t columns) {
  return {{Dim(rows), Dim(columns)}, kType<T>, memory::format_tag::ab};
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

dnnl::primitive_attr Attributes(Activation activation) {
  dnnl::primitive_attr attributes;
  if (activation == Activation::kGelu) {
    dnnl::post_ops post_ops;
#if DNNL_VERSION_MAJOR >= 3
    post_ops.append_eltwise(dnnl::algorithm::eltwise_gelu_erf, 0.F, 0.F);
#else
    post_ops.append_eltwise(1.F, dnnl::algorithm::eltwise_gelu_erf, 0.F, 0.F);
#endif
    attributes.set_post_ops(post_ops);
  }
  return attributes;
}

template <typename In, typename Out>
class OneDnnMatMul : public MatMul<In, Out> {
 public:
  OneDnnMatMul(const LinearParameters& parameters, Activation activation)
      : in_features_(parameters.in_features),
        out_features_(parameters.out_features),
        attributes_(Attributes(activation)),
        bias_(RowMajor<float>(1, out_features_), Engine()) {
    auto* bias = static_cast<float*>(bias_.get_data_handle());
    std::fill_n(bias, out_features_, 0.0F);
    std::copy(parameters.bias.begin(), parameters.bias.end(), bias);

    const memory::dims dims{Dim(in_features_), Dim(out_features_)};
    const memory::desc any(dims, kType<In>, memory::format_tag::any);
    weight_ = memory(DescribeRows(kRowsToPackFor, any).weights_desc(), Engine());
    // [out, in] row-major is [in, out] with the strides exchanged.
    memory source(memory::desc(dims, memory::data_type::f32, memory::format_tag::ba), Engine(),
                  const_cast<float*>(parameters.weight.data()));
    dnnl::reorder(source, weight_).execute(stream_, source, weight_);
    stream_.wait();
  }

  void Run(InputView<In> input, MatrixView<Out> output, const FinishRows& finish) override {
    memory source(RowMajor<In>(input.rows, input.columns), Engine(), const_cast<In*>(input.data));
    memory destination(RowMajor<Out>(output.rows, output.columns), Engine(), output.data);
    Primitive(input.rows)
        .execute(stream_, {{DNNL_ARG_SRC, source},
                           {DNNL_ARG_WEIGHTS, weight_},
                           {DNNL_ARG_BIAS, bias_},
                           {DNNL_ARG_DST, destination}});
    stream_.wait();
    if (finish) ParallelRanges(output.rows, 1, finish);
  }

 private:
  dnnl::matmul::primitive_desc DescribeRows(size_t rows, const memory::desc& weight) const {
    return Describe(RowMajor<In>(rows, in_features_), weight, bias_.get_desc(),
                    RowMajor<Out>(rows, out_features_), attributes_);
  }

  dnnl::matmul& Primitive(size_t rows) {
    if (const auto found = primitives_.find(rows); found != primitives_.end()) {
      return found->second;
    }
    if (primitives_.size() >= kMaxPrimitives) primitives_.clear();
    return primitives_.emplace(rows, dnnl::matmul(DescribeRows(rows, weight_.get_desc())))
        .first->second;
  }

  const size_t in_features_;
  const size_t out_features_;
  const dnnl::primitive_attr attributes_;
  dnnl::stream stream_{Engine()};
  memory bias_;
  memory weight_;
  std::unordered_map<size_t, dnnl::matmul> primitives_;  // by the number of rows
};

}  // namespace

template <typename In, typename Out>
std::unique_ptr<MatMul<In, Out>> PackOneDnnMatMul(const LinearParameters& parameters,
                                                  Activation activation) {
  return std::make_unique<OneDnnMatMul<In, Out>>(parameters, activation);
}

template std::unique_ptr<MatMul<BFloat16, BFloat16>> PackOneDnnMatMul(const LinearParameters&,
                                                                      Activation);
template std::unique_ptr<MatMul<BFloat16, float>> PackOneDnnMatMul(const LinearParameters&,
                                                                   Activation);

#if defined(__x86_64__)

namespace {

// An instruction set's value has the bits of every set that it contains.
bool Has(dnnl::cpu_isa isa) {
  const auto bits = static_cast<unsigned>(isa);
  return (static_cast<unsigned>(dnnl::get_effective_cpu_isa()) & bits) == bits;
}

}  // namespace

bool OneDnnUsesAmx() { return Has(dnnl::cpu_isa::avx512_core_amx); }
bool LimitOneDnnToAvx2() {
  return dnnl::set_max_cpu_isa(dnnl::cpu_isa::avx2) == dnnl::status::success;
}

#else

bool OneDnnUsesAmx() { return false; }
bool LimitOneDnnToAvx2() { return true; }

#endif

}  // namespace embedding
