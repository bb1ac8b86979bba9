// The dialect of text-embeddings-inference 1.9.
#pragma once

#include "api/call.h"
#include "api/json_reader.h"

namespace embedding::api {

// POST /embed with a body that has "inputs".
void TeiEmbed(const CallPtr& call, const JsonReader& json);
void TeiEmbedAll(const CallPtr& call,
                 const JsonReader& json);  // POST /embed_all: every token's hidden state
void TeiEmbedSparse(const CallPtr& call, const JsonReader& json);  // POST /embed_sparse
void TeiSimilarity(const CallPtr& call, const JsonReader& json);   // POST /similarity
void TeiRerank(const CallPtr& call, const JsonReader& json);       // POST /rerank with "texts"
void TeiPredict(const CallPtr& call, const JsonReader& json);      // POST /predict
void TeiTokenize(const CallPtr& call, const JsonReader& json);     // POST /tokenize
void TeiDecode(const CallPtr& call, const JsonReader& json);       // POST /decode
void TeiInfo(const CallPtr& call);                                 // GET /info
void TeiMetrics(const CallPtr& call);                              // GET /metrics

}  // namespace embedding::api
