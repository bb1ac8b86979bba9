#include "model/model_spec.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "base/json_value.h"
#include "model/config_json.h"
#include "model/files.h"
#include "model/library_config.h"
#include "model/module_list.h"
#include "model/sentence_modules.h"
#include "model/sparse_static_embedding.h"
#include "model/static_embedding.h"
#include "model/task_adapters.h"
#include "model/transformer_module.h"
#include "weights/model_error.h"
#include "weights/path.h"

namespace embedding {
namespace {

namespace fs = std::filesystem;

// What the Transformer module's own file says. The limit of it counts alone where nothing but that
// limits a text: rotary positions have no table that ends.
void TakeTransformerModule(const TransformerModule& module, ModelSpec& spec) {
  spec.tokenizer.lowercase_first = module.lower_case;
  Encoder& encoder = spec.architecture.encoder;
  std::optional<size_t> limit = module.max_seq_length;
  if (!limit) {
    limit = spec.tokenizer.model_max_length;
  } else if (encoder.positions.count == 0) {
    encoder.max_tokens = std::min(*limit, kUnlimitedTokens);
  } else if (*limit > encoder.max_tokens) {
    spec.warnings.push_back(fmt::format(
        "{}: max_seq_length is {}, but config.json's max_position_embeddings {} has only {} "
        "positions for tokens: texts are cut to these",
        module.path, *limit, encoder.positions.first + encoder.max_tokens, encoder.max_tokens));
  }
  // Of a text that nothing limits: what the models without positions were trained with.
  constexpr size_t kUsual = 512;
  if (!limit && encoder.max_tokens == kUnlimitedTokens) {
    spec.warnings.push_back(fmt::format(
        "{}: neither the model nor its tokenizer says how long a text may be: texts are cut to {} "
        "tokens; sentence_bert_config.json's max_seq_length says another limit",
        spec.directory, kUsual));
    limit = kUsual;
  }
  spec.max_seq_length = std::min(limit.value_or(encoder.max_tokens), encoder.max_tokens);
  for (const auto& [prompt, tokens] : module.limit_of_prompt) {
    spec.limit_of_prompt[prompt] = std::min(tokens, encoder.max_tokens);
  }
}

// Without modules.json.
void TakeDefaultPooling(ModelSpec& spec) {
  const fs::path root(spec.directory);
  if (spec.is_classifier() || spec.is_static) return;
  if (IsThere(root / kSparseFile) || IsThere(root / kColbertFile)) {
    spec.architecture.heads.pooled->pooling = {Pooling::kCls};
    return;
  }
  spec.warnings.push_back(fmt::format(
      "{}: there is no modules.json, so tokens are averaged, as sentence-transformers does; "
      "--pooling cls takes the first",
      spec.directory));
}

Status OverridePooling(const std::string& name, ModelSpec& spec) {
  Heads& heads = spec.architecture.heads;
  if (spec.is_classifier() || !heads.pooled) {
    spec.warnings.push_back(
        fmt::format("{}: is {}, which --pooling does not change", spec.directory,
                    spec.is_classifier() ? "a classifier" : "a table of weights"));
    return {};
  }
  if (name == kSpladePooling) {
    if (!heads.splade) heads.splade = Splade{};
    return {};
  }
  ASSIGN_OR_RETURN(const Pooling pooling, PoolingOfName(name));
  PooledVector& pooled = *heads.pooled;
  if (pooled.pooling.size() > 1 && !pooled.modules.empty()) {
    return ModelError(
        "{}: a module follows {} pooled vectors side by side: --pooling cannot "
        "change them",
        spec.directory, pooled.pooling.size());
  }
  pooled.pooling = {pooling};
  heads.splade.reset();
  return {};
}

// What SPLADE's logits come out of.
Status CompleteSplade(const ConfigJson& config, ModelSpec& spec) {
  std::optional<Splade>& splade = spec.architecture.heads.splade;
  if (!splade) return {};
  if (!config.masked_language) {
    if (spec.is_static) return ModelError("{}: SPLADE needs a Transformer", spec.directory);
    if (spec.family->masked_language.read == nullptr) {
      return ModelError("{}: SPLADE is not supported of model_type {}", spec.directory,
                        spec.family->name());
    }
    return ModelError("{}: SPLADE needs config.json's architectures to have a *ForMaskedLM",
                      spec.directory);
  }
  const Splade& head = *config.masked_language;
  splade->activation = head.activation;
  splade->norm = head.norm;
  splade->transform_bias = head.transform_bias;
  splade->decoder_bias = head.decoder_bias;
  return {};
}

// In the place of all other heads.
Status TakeClassifier(const ConfigJson& config, ModelSpec& spec) {
  Heads& heads = spec.architecture.heads;
  if (heads.scores) {
    heads = Heads{.scores = std::move(heads.scores)};
    return {};
  }
  if (spec.logit_score) {
    heads =
        Heads{.classifier = Classifier{
                  .labels = 1, .pooling = Pooling::kLastToken, .dense = {}, .output_bias = false}};
    return {};
  }
  if (!config.classifier) {
    return ModelError("{}: classifiers of model_type {} are not supported", spec.directory,
                      spec.family->name());
  }
  heads = Heads{.classifier = config.classifier};
  return {};
}

// The heads of tokens, beside what the modules say: in the checkpoint or in files of their own.
// None of a table: there is no encoder that they could have been trained with.
void FindTokenHeads(const ConfigJson& config, ModelSpec& spec) {
  if (spec.is_static) return;
  const fs::path root(spec.directory);
  Heads& heads = spec.architecture.heads;
  if (!heads.splade && config.token_weights) {
    heads.token_weights = config.token_weights;
    spec.token_weights_in_checkpoint = true;
  } else if (!heads.splade && Exists(root / kSparseFile)) {
    heads.token_weights.emplace();
  }
  if (Exists(root / kColbertFile)) heads.token_vectors.emplace();
}

// config.json and the tokenizer's: what the encoder is.
Result<ConfigJson> ReadTransformer(ModelSpec& spec) {
  const fs::path transformer(spec.transformer_directory);
  ASSIGN_OR_RETURN(ConfigJson config, ReadConfigJson((transformer / "config.json").string()));
  ASSIGN_OR_RETURN(spec.tokenizer,
                   ReadTokenizerConfig(spec.transformer_directory, config.model_type,
                                       config.tokenizer_class, config.family->tokenizer_class));
  spec.family = config.family;
  spec.architectures = config.architectures;
  spec.architecture.encoder = config.encoder;
  spec.labels = config.labels;
  for (size_t i = 0; i < config.adapters.size(); ++i) {
    spec.adapter_of_prompt.try_emplace(config.adapters[i], static_cast<int32_t>(i));
  }
  if (config.family->has_task_adapters) {
    spec.tasks = config.adapters;
    ASSIGN_OR_RETURN(spec.architecture.encoder.adapters,
                     ReadTaskAdapters(spec.transformer_directory, spec.tasks));
  }
  if (config.token_projection) {
    spec.architecture.heads.pooled->token_modules.emplace_back(
        DenseModule{.in_features = config.encoder.hidden_size,
                    .out_features = *config.token_projection,
                    .bias = false,
                    .activation = Activation::kIdentity});
  }
  spec.matryoshka_dimensions = config.matryoshka_dimensions;
  return config;
}

// Each text has a task's adapter, which the prompt's name gives: the task's own, whose texts are
// put into words as documents are (jina-embeddings-v5 knows no other), or one of retrieval.
void TakeTasks(ModelSpec& spec) {
  if (spec.tasks.empty()) return;
  const auto document = spec.prompts.try_emplace("document").first->second;
  const std::string task =
      spec.adapter_of_prompt.contains("retrieval") ? "retrieval" : spec.tasks[0];
  const int32_t adapter = spec.adapter_of_prompt.at(task);
  for (const auto& [name, text] : spec.prompts) spec.adapter_of_prompt.try_emplace(name, adapter);
  for (const std::string& name : spec.tasks) spec.prompts.try_emplace(name, document);
  if (spec.default_prompt_name) return;
  spec.default_prompt_name = "document";
  spec.warnings.push_back(fmt::format(
      "texts without a prompt_name are documents of the task {}: the model has an adapter for each "
      "task, and names none that is meant without one",
      task));
}

// Whether the model is a table alone, of vectors or of weights; it is read then. By modules.json,
// or, without it, as model2vec has it.
Result<bool> ReadStatic(const std::vector<ModuleEntry>& modules, bool has_modules,
                        ModelSpec& spec) {
  if (!modules.empty() && modules[0].kind == "SparseStaticEmbedding") {
    RETURN_IF_ERROR(ReadSparseStaticEmbedding(spec));
    return true;
  }
  bool is_static = !modules.empty() && modules[0].kind == "StaticEmbedding";
  if (!has_modules) {
    ASSIGN_OR_RETURN(const auto model2vec, ReadModel2VecConfig(spec.directory));
    if (model2vec) spec.normalize = model2vec->normalize;
    is_static = model2vec.has_value();
  }
  if (is_static) RETURN_IF_ERROR(ReadStaticEmbedding(spec));
  return is_static;
}

}  // namespace

Result<ModelSpec> ReadModelSpec(const std::string& directory, const Routes& routes, size_t list,
                                const std::string& pooling) {
  const std::vector<ModuleEntry>& modules = routes.lists[list];
  // Before config.json is looked for, which others do not have.
  if (!modules.empty() && !IsInputModule(modules[0].kind)) return UnsupportedModule(modules[0]);
  ModelSpec spec;
  spec.directory = directory;
  spec.transformer_directory = directory;
  if (!modules.empty() && !modules[0].path.empty()) {
    spec.transformer_directory = (fs::path(directory) / modules[0].path).string();
  }
  spec.architecture.heads.pooled.emplace();
  ASSIGN_OR_RETURN(const bool is_static, ReadStatic(modules, routes.has_modules, spec));
  ConfigJson config;
  TransformerModule module;
  if (!is_static) {
    ASSIGN_OR_RETURN(config, ReadTransformer(spec));
    if (routes.has_modules) {
      ASSIGN_OR_RETURN(module, ReadTransformerModule(spec.transformer_directory));
    }
    TakeTransformerModule(module, spec);
    if (!modules.empty() && modules[0].is_custom && !spec.encoder().adapters) {
      return ModelError(
          "{}: type custom_st.Transformer is of the model's own code, which is not run; supported "
          "are those of jina-embeddings-v3 and jina-embeddings-v5-text",
          modules[0].where);
    }
  }
  if (routes.has_modules) {
    RETURN_IF_ERROR(ReadSentenceModules(modules, spec));
  } else if (pooling.empty()) {
    TakeDefaultPooling(spec);
  }
  if (!pooling.empty()) RETURN_IF_ERROR(OverridePooling(pooling, spec));
  RETURN_IF_ERROR(CompleteSplade(config, spec));
  RETURN_IF_ERROR(ReadLibraryConfig(spec));
  TakeTasks(spec);
  for (const auto& [prompt, ignored] : routes.of_prompt) spec.prompts.try_emplace(prompt);
  if (module.messages) {
    ASSIGN_OR_RETURN(spec.messages,
                     ReadMessageTemplates(spec.tokenizer, *module.messages, spec.prompts));
  }
  if (spec.is_classifier()) {
    RETURN_IF_ERROR(TakeClassifier(config, spec));
  } else {
    FindTokenHeads(config, spec);
  }
  return spec;
}

Status CheckModelIsThere(const std::string& directory) {
  std::error_code ignored;
  if (fs::is_directory(directory, ignored)) return {};
  return ModelError("{}: there is no such model directory", directory);
}

Result<ModelSpec> ReadModelSpec(const std::string& directory, const std::string& pooling) {
  RETURN_IF_ERROR(CheckModelIsThere(directory));
  ASSIGN_OR_RETURN(const Routes routes, ReadRoutes(directory));
  if (routes.lists.size() > 1) {
    return ModelError("{}: has {} routes that differ", directory, routes.lists.size());
  }
  return ReadModelSpec(directory, routes, 0, pooling);
}

}  // namespace embedding
