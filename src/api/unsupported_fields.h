// Fields that change the answer on other servers and cannot here: refused by name, with what to do.
#pragma once

#include "api/json_reader.h"

namespace embedding::api {

// What clients of Hugging Face's services send beside "inputs".
inline constexpr UnsupportedField kParameters = {"parameters", "{}",
                                                 "put what is in it into the request itself"};

// Of routes that embed texts, but Ollama's, whose "prompt" is the text.
inline constexpr UnsupportedField kEmbedUnsupported[] = {
    kParameters,
    {"task", "", "name one of the model's prompts as prompt_name"},
    {"input_type", "", "name one of the model's prompts as prompt_name"},
    {"prompt", R"("")",
     "name one of the model's prompts as prompt_name, or put it before each text"},
    {"instruction", R"("")",
     "name one of the model's prompts as prompt_name, or put it before each text"},
    {"query", "", "/rerank ranks texts by a query"},
    {"late_chunking", "false", "send each text by itself"},
    {"add_special_tokens", "true", "send token ids for texts without special tokens"},
    {"messages", "[]", "send texts"},
    {"modality", R"("text")", "send texts"},
    {"embed_dtype", R"("float32")", "output_dtype says how vectors are sent"},
    {"precision", R"("float32")", "output_dtype says how vectors are sent"},
    {"embedding_types", R"(["float"])", "output_dtype says how vectors are sent"},
    {"endianness", R"("little")", "base64 is little-endian"},
    {"embd_normalize", "2", "normalize says whether vectors have length 1"},
    {"normalize_embeddings", "true", "normalize says whether vectors have length 1"},
    {"output_dimension", "", "dimensions says how many components are kept"},
    {"return_multivector", "false", "/embed with texts has return_colbert_vecs"},
    {"truncation", "true", "truncate says whether long texts are cut"},
    {"max_length", "", "texts are cut at what the model takes; send shorter ones"},
};

// Of routes that rank texts by a query.
inline constexpr UnsupportedField kRerankUnsupported[] = {
    kParameters,
    {"max_chunks_per_doc", "1", "documents are read in one piece: send long ones in pieces"},
    {"rank_fields", R"(["text"])", "put what is to be ranked into each document's text"},
    {"use_activation", "true", "raw_scores gives scores without one"},
    {"activation", "true", "raw_scores gives scores without one"},
    {"instruction", R"("")", "put it before the query"},
    {"top_k", "", "top_n beside documents says how many are given back"},
    {"truncation", "true", "truncate says whether long texts are cut"},
    {"max_query_length", "", "texts are cut at what the model takes; send shorter ones"},
    {"max_doc_length", "", "texts are cut at what the model takes; send shorter ones"},
    {"return_embeddings", "false", "/embed gives vectors"},
};

}  // namespace embedding::api
