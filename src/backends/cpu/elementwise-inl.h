// Elementwise functions of a vector of f32, once for each instruction set that Highway compiles
// for.

#if defined(EMBEDDING_ELEMENTWISE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef EMBEDDING_ELEMENTWISE_INL_H_
#undef EMBEDDING_ELEMENTWISE_INL_H_
#else
#define EMBEDDING_ELEMENTWISE_INL_H_
#endif

#include "base/half.h"
#include "hwy/highway.h"
#include "model/model_spec.h"

HWY_BEFORE_NAMESPACE();
namespace embedding {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// A vector of numbers from memory as f32, and back, rounded as BFloat16 does (for other than NaN).
template <class D>
HWY_INLINE hn::Vec<D> LoadAsF32(D d, const float* from) {
  return hn::LoadU(d, from);
}
template <class D>
HWY_INLINE hn::Vec<D> LoadAsF32(D d, const BFloat16* from) {
  const hn::RebindToUnsigned<D> du;
  const hn::Rebind<uint16_t, D> d16;
  return hn::BitCast(d, hn::ShiftLeft<16>(hn::PromoteTo(du, hn::LoadU(d16, &from->bits))));
}
template <class D>
HWY_INLINE void StoreFromF32(D d, hn::Vec<D> v, float* to) {
  hn::StoreU(v, d, to);
}
// The numbers' bits, of which the upper half is the rounded number.
template <class D, class DU = hn::RebindToUnsigned<D>>
HWY_INLINE hn::Vec<DU> RoundedBits(D, hn::Vec<D> v) {
  const DU du;
  const auto bits = hn::BitCast(du, v);
  const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(du, 1));
  return hn::Add(bits, hn::Add(odd, hn::Set(du, 0x7FFF)));
}
template <class D>
HWY_INLINE void StoreFromF32(D d, hn::Vec<D> v, BFloat16* to) {
  const hn::Rebind<uint16_t, D> d16;
  hn::StoreU(hn::TruncateTo(d16, hn::ShiftRight<16>(RoundedBits(d, v))), d16, &to->bits);
}
// Two vectors, one after the other.
template <class D>
HWY_INLINE void StorePairFromF32(D d, hn::Vec<D> v0, hn::Vec<D> v1, float* to) {
  hn::StoreU(v0, d, to);
  hn::StoreU(v1, d, to + hn::Lanes(d));
}
template <class D>
HWY_INLINE void StorePairFromF32(D d, hn::Vec<D> v0, hn::Vec<D> v1, BFloat16* to) {
  const hn::Repartition<uint16_t, D> d16;
  const auto halves = [&](hn::Vec<D> v) HWY_ATTR { return hn::BitCast(d16, RoundedBits(d, v)); };
  hn::StoreU(hn::ConcatOdd(d16, halves(v1), halves(v0)), d16, &to->bits);
}

// 2^f for |f| <= 1/2, the polynomials of their degrees with the smallest relative error: 7.5e-8,
// and 7.5e-5 for what is rounded to bf16, which is 2e-3. Least squares with weights iterated
// towards the minimax fit (Lawson's algorithm).
constexpr float kExp2[] = {1.00000007F,   0.693146967F,   0.240221197F,
                           0.0555071329F, 0.00967554168F, 0.00132764673F};
constexpr float kExp2OfBf16[] = {0.999928057F, 0.693260968F, 0.242611125F, 0.0551716685F};

// e^(x ln 2) = 2^x for x <= 0, within 2e-7 of the value's size (or the error of the coefficients)
// while x > -100; below that it gives 2^-100, nothing beside the 2^0 that every softmax contains,
// and no number that is subnormal once it is multiplied, which takes a processor a hundred times as
// long. x = n + f with n whole and |f| <= 1/2.
template <class D, class V = hn::Vec<D>, size_t count = std::size(kExp2)>
HWY_INLINE V Exp2OfNegative(D d, V x, const float (&coefficients)[count] = kExp2) {
  // 1.5 * 2^23: a sum with it is a whole number that stands in the sum's low bits, which costs less
  // than a conversion.
  const V shifter = hn::Set(d, 12582912.0F);
  x = hn::Max(x, hn::Set(d, -100.0F));
  const V shifted = hn::Add(x, shifter);
  const V f = hn::Sub(x, hn::Sub(shifted, shifter));
  V p = hn::Set(d, coefficients[count - 1]);
  for (size_t i = count - 1; i > 0; --i) p = hn::MulAdd(p, f, hn::Set(d, coefficients[i - 1]));
  const hn::RebindToSigned<D> di;
  const auto exponent = hn::ShiftLeft<23>(hn::BitCast(di, shifted));
  return hn::BitCast(d, hn::Add(hn::BitCast(di, p), exponent));
}

// GELU in its exact form, x * (1 + erf(x / sqrt(2))) / 2, with erf by Abramowitz and Stegun 7.1.26:
// erf(z) = 1 - (a1 t + ... + a5 t^5) e^(-z^2) for z >= 0, t = 1 / (1 + p z), within 1.5e-7.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Gelu(D d, V x) {
  const auto z = hn::Mul(hn::Abs(x), hn::Set(d, 0.707106781F));
  const auto t = hn::Div(hn::Set(d, 1.0F), hn::MulAdd(z, hn::Set(d, 0.3275911F), hn::Set(d, 1.0F)));
  auto polynomial = hn::Set(d, 1.061405429F);
  polynomial = hn::MulAdd(polynomial, t, hn::Set(d, -1.453152027F));
  polynomial = hn::MulAdd(polynomial, t, hn::Set(d, 1.421413741F));
  polynomial = hn::MulAdd(polynomial, t, hn::Set(d, -0.284496736F));
  polynomial = hn::MulAdd(polynomial, t, hn::Set(d, 0.254829592F));
  // e^(-z^2) = 2^(-x^2 log2(e) / 2)
  const auto exponential = Exp2OfNegative(d, hn::Mul(hn::Mul(x, x), hn::Set(d, -0.72134752F)));
  const auto tail = hn::Mul(hn::Mul(polynomial, t), exponential);  // 1 - erf(z)
  // x >= 0: x (2 - tail) / 2; x < 0: x tail / 2
  const auto half = hn::Mul(x, hn::Set(d, 0.5F));
  const auto factor = hn::IfThenElse(hn::Lt(x, hn::Zero(d)), tail, hn::Sub(hn::Set(d, 2.0F), tail));
  return hn::Mul(half, factor);
}

// GELU for a result that is rounded to 16 bits: within 3.5e-5, less than the rounding but for x
// below -2, for a third of the time. Its factor, the normal distribution's Phi(x), is 1/2 + s (1/2
// + (1 - s^2) q(s^2)) with s = x / 4.5 from -1 to 1, which is 0 and 1 at the ends; q is the
// polynomial of degree 7 with the smallest error of x Phi.
template <class D>
struct GeluOf16Bits {
  using V = hn::Vec<D>;

  // Least squares with weights iterated towards the minimax fit (Lawson's algorithm).
  HWY_INLINE GeluOf16Bits()
      : q0(hn::Set(D(), 1.29418862F)),
        q1(hn::Set(D(), -4.71798992F)),
        q2(hn::Set(D(), 12.9610100F)),
        q3(hn::Set(D(), -25.7606087F)),
        q4(hn::Set(D(), 35.6892014F)),
        q5(hn::Set(D(), -32.2165298F)),
        q6(hn::Set(D(), 16.8166866F)),
        q7(hn::Set(D(), -3.81711197F)),
        minus_one(hn::Set(D(), -1.0F)),
        half(hn::Set(D(), 0.5F)),
        one(hn::Set(D(), 1.0F)),
        scale(hn::Set(D(), 1 / 4.5F)) {}

  HWY_INLINE V operator()(V x) const {
    const V s = hn::Max(hn::Min(hn::Mul(x, scale), one), minus_one);
    const V square = hn::Mul(s, s);
    V q = hn::MulAdd(q7, square, q6);
    q = hn::MulAdd(q, square, q5);
    q = hn::MulAdd(q, square, q4);
    q = hn::MulAdd(q, square, q3);
    q = hn::MulAdd(q, square, q2);
    q = hn::MulAdd(q, square, q1);
    q = hn::MulAdd(q, square, q0);
    const V phi = hn::MulAdd(s, hn::MulAdd(hn::Sub(one, square), q, half), half);
    return hn::Mul(x, phi);
  }

  // Not an array: compilers keep those in memory.
  V q0, q1, q2, q3, q4, q5, q6, q7;
  V minus_one, half, one, scale;
};

// GELU's tanh form: (1 + tanh(u)) / 2 is 1 / (1 + e^(-2 u)).
template <class D, class V = hn::Vec<D>>
HWY_INLINE V GeluTanh(D d, V x) {
  const auto one = hn::Set(d, 1.0F);
  // 2 sqrt(2 / pi) log2(e), and that times 0.044715.
  const auto linear = hn::Set(d, 2.30220818F);
  const auto cubic = hn::Set(d, 0.102943240F);
  const auto twice_u = hn::Mul(x, hn::MulAdd(cubic, hn::Mul(x, x), linear));
  const auto exponential = Exp2OfNegative(d, hn::Neg(hn::Abs(twice_u)));
  const auto part = hn::IfThenElse(hn::Lt(x, hn::Zero(d)), exponential, one);
  return hn::Mul(x, hn::Div(part, hn::Add(one, exponential)));
}

// 1 / (1 + e^-x), of whose two forms the one is taken whose power is at most 1. NaN stays NaN: what
// is no number must not become one on its way.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Sigmoid(D d, V x) {
  const auto one = hn::Set(d, 1.0F);
  const auto exponential = Exp2OfNegative(d, hn::Mul(hn::Abs(x), hn::Set(d, -1.44269504F)));
  const auto part = hn::IfThenElse(hn::Lt(x, hn::Zero(d)), exponential, one);
  return hn::IfThenElse(hn::IsNaN(x), x, hn::Div(part, hn::Add(one, exponential)));
}

// What a product ends with, for a result that is stored as a T.
template <typename T, class D, class V = hn::Vec<D>>
HWY_INLINE V Activate(D d, Activation activation, V x) {
  switch (activation) {
    case Activation::kIdentity:
      break;
    case Activation::kGelu:
      if constexpr (sizeof(T) == 2) return GeluOf16Bits<D>()(x);
      return Gelu(d, x);
    case Activation::kGeluTanh:
      return GeluTanh(d, x);
    case Activation::kRelu:
      return hn::IfThenElse(hn::Lt(x, hn::Zero(d)), hn::Zero(d), x);
    case Activation::kSigmoid:
      return Sigmoid(d, x);
    case Activation::kSilu:
      return hn::Mul(x, Sigmoid(d, x));
    case Activation::kTanh:  // 2 sigmoid(2 x) - 1
      return hn::MulSub(hn::Set(d, 2.0F), Sigmoid(d, hn::Add(x, x)), hn::Set(d, 1.0F));
  }
  return x;
}

// out[0 .. outputs) = activation(gate) * up, of `both`: `half` numbers of the gate, then `half` of
// what is gated; a vector more may be read.
template <class D, class A, typename T>
HWY_INLINE void StoreGated(D d, A activation, const float* HWY_RESTRICT both, size_t half,
                           size_t outputs, T* HWY_RESTRICT out) {
  const auto gated = [&](size_t i) HWY_ATTR {
    return hn::Mul(Activate<T>(d, activation, hn::LoadU(d, both + i)),
                   hn::LoadU(d, both + half + i));
  };
  size_t i = 0;
  for (; i + hn::Lanes(d) <= outputs; i += hn::Lanes(d)) StoreFromF32(d, gated(i), out + i);
  if (i == outputs) return;
  HWY_ALIGN T edge[HWY_MAX_BYTES / sizeof(float)];
  StoreFromF32(d, gated(i), edge);
  for (size_t k = 0; i + k < outputs; ++k) out[i + k] = edge[k];
}

}  // namespace HWY_NAMESPACE
}  // namespace embedding
HWY_AFTER_NAMESPACE();

#endif  // EMBEDDING_ELEMENTWISE_INL_H_
