// What src/backends/cpu/blas_linear.cc uses of Apple's framework Accelerate, to see without Apple's
// SDK that it compiles and links (scripts/make_macos_sysroot.sh). On a Mac the SDK's own is used.
#pragma once

#if !defined(ACCELERATE_NEW_LAPACK)
#error Without it Apple's header has the interface that is deprecated since macOS 13.3.
#endif

#ifdef __cplusplus
extern "C" {
#endif

enum CBLAS_ORDER { CblasRowMajor = 101, CblasColMajor = 102 };
enum CBLAS_TRANSPOSE { CblasNoTrans = 111, CblasTrans = 112, CblasConjTrans = 113 };

void cblas_sgemm(const enum CBLAS_ORDER ORDER, const enum CBLAS_TRANSPOSE TRANSA,
                 const enum CBLAS_TRANSPOSE TRANSB, const int M, const int N, const int K,
                 const float ALPHA, const float* A, const int LDA, const float* B, const int LDB,
                 const float BETA, float* C, const int LDC) __asm("_cblas_sgemm$NEWLAPACK");

#ifdef __cplusplus
}
#endif
