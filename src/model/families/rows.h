// The rows of families.cc, each defined in a file of this folder.
#pragma once

#include "model/families.h"

namespace embedding {

extern const Family kAlbert;
extern const Family kBert;
extern const Family kCamembert;
extern const Family kDebertaV2;
extern const Family kDistilBert;
extern const Family kElectra;
extern const Family kEmbeddingGemma2;
extern const Family kErnie;
extern const Family kEuroBert;
extern const Family kGemma3;
extern const Family kGte;
extern const Family kJinaV3;
extern const Family kJinaV5;
extern const Family kLlama;
extern const Family kMistral;
extern const Family kModernBert;
extern const Family kMpnet;
extern const Family kMt5;
extern const Family kNomicBert;
extern const Family kQwen2;
extern const Family kQwen3;
extern const Family kRoberta;
extern const Family kT5;
extern const Family kXlmRoberta;

}  // namespace embedding
