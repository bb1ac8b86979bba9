// Whether everything that a model's tokenizer gives has its row in the model's tables, which are
// read without another look: ids in the word embeddings, types in the token type embeddings, and
// places in the position embeddings. Not of added tokens that a text has to contain: these are
// looked at with the text.
#pragma once

#include "base/result.h"
#include "model/model_spec.h"
#include "text/tokenizer.h"

namespace embedding {

// Of single texts and, where the model is a classifier, which takes them, of pairs. Errors:
// kModelLoad, naming the tokenizer's file and what it gives, and the table and its size.
Status CheckTables(const Tokenizer& tokenizer, const ModelSpec& spec);

// Of pairs, for a model that need not take any. The same errors.
Status CheckTablesForPairs(const Tokenizer& tokenizer, const ModelSpec& spec);

}  // namespace embedding
