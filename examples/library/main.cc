// Two texts to vectors, and how alike they are: embedding-example MODEL_DIRECTORY TEXT TEXT
#include <cstddef>
#include <cstdio>

#include "embedding/engine.h"

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: %s MODEL_DIRECTORY TEXT TEXT\n", argv[0]);
    return 2;
  }
  // Loading takes seconds for a large model; an Embedder serves any number of threads.
  const auto embedder = embedding::Embedder::Load({.model_directory = argv[1]});
  if (!embedder.ok()) {
    std::fprintf(stderr, "%s\n", embedder.error().message.c_str());
    return 1;
  }
  embedding::EmbedRequest request;
  request.texts = {argv[2], argv[3]};
  const auto response = (*embedder)->Embed(request);
  if (!response.ok()) {
    std::fprintf(stderr, "%s\n", response.error().message.c_str());
    return 1;
  }
  // The vectors have length 1, unless request.normalize is false: their product is the cosine.
  const auto first = response->embedding(0);
  const auto second = response->embedding(1);
  float cosine = 0;
  for (size_t i = 0; i < first.size(); ++i) cosine += first[i] * second[i];
  std::printf("%zu dimensions, cosine %.4f\n", first.size(), static_cast<double>(cosine));
  return 0;
}
