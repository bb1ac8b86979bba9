// The dialect of text-embeddings-inference 1.9.
#pragma once

#include "api/call.h"
#include "api/json_reader.h"

namespace embedding::api {

// POST /embed with a body that has no "texts".
void TeiEmbed(const CallPtr& call, const JsonReader& json);
void TeiEmbedAll(const CallPtr& call);     // POST /embed_all: every token's hidden state
void TeiEmbedSparse(const CallPtr& call);  // POST /embed_sparse
void TeiSimilarity(const CallPtr& call);   // POST /similarity
void TeiRerank(const CallPtr& call);       // POST /rerank
void TeiPredict(const CallPtr& call);      // POST /predict
void TeiTokenize(const CallPtr& call);     // POST /tokenize
void TeiDecode(const CallPtr& call);       // POST /decode
void TeiInfo(const CallPtr& call);         // GET /info
void TeiMetrics(const CallPtr& call);      // GET /metrics

}  // namespace embedding::api
