#include "cli/model_options.h"

#include "cli/option_values.h"

namespace embedding::cli {

void AddModelOptions(CLI::App& app, app::Configuration& options) {
  const auto add = [&app](const char* name, auto& value, const char* description,
                          const CLI::Validator& check) {
    app.add_option(name, value, description)->capture_default_str()->transform(check);
  };
  add("--model", options.models,
      "A model of the Hugging Face hub, or a directory; of several the first of a kind "
      "(embeddings, reranking) answers requests that name none",
      Text("a model of the hub or a directory"));
  add("--revision", options.revision, "Branch, tag or commit of a hub model", Revision());
  add("--device", options.engine.device.device,
      "What computes: cpu; cuda, or cuda:1 for the second (NVIDIA's GPUs, on Linux); mps (Apple's, "
      "where it is built in); or auto, the first of mps, cuda and cpu that is there",
      Word("a device"));
  add("--replicas", options.engine.device.replicas,
      "How many times each model is loaded, to compute as many batches at the same time: with cuda "
      "on as many GPUs, from the one that is named on; with cpu each has its share of --threads "
      "and weights of its own",
      WholeNumber(1, 64));
  add("--dtype", options.dtype,
      "What products multiply: f32 as the Python originals, bf16 twice as fast where the CPU has "
      "it, f16 for weights in half the memory, int8 fastest and least exact (cosine to f32 above "
      "0.99), or auto: on a CPU bf16 where native, else f32; on a GPU f16, or bf16 where the model "
      "needs its range",
      OneOf({"auto", "f32", "bf16", "f16", "int8"}));
  add("--pooling", options.pooling,
      "How an embedding model's token vectors become one: auto takes what the model says, or the "
      "mean "
      "where nothing does",
      OneOf({"auto", "cls", "mean", "max", "mean_sqrt_len_tokens", "weightedmean", "lasttoken",
             "splade"}));
  add("--instruction-set", options.instruction_set,
      "auto takes the best that the CPU has; less shows what a smaller one would do: avx2, "
      "with dot products of bytes avxvnni, or without AMX avx512, of an x86-64 one; neon, or with "
      "its dot products dotprod, of an Arm one",
      OneOf({"auto", "avx2", "avxvnni", "avx512", "neon", "dotprod"}));
  add("--threads", options.engine.device.threads,
      "Computing threads; 0 takes all CPUs, and of a Mac's the fast ones", WholeNumber(0, 1024));
  add("--default-prompt-name", options.default_prompt_name,
      "Prompt that is put before texts of requests without prompt_name; empty takes what the model "
      "says",
      OptionalText("a prompt's name"));
}

}  // namespace embedding::cli
