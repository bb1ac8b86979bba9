#include "api/call.h"

#include <algorithm>
#include <exception>
#include <string>
#include <thread>
#include <utility>

#include "api/cache_header.h"
#include "api/errors.h"
#include "api/json_errors.h"
#include "engine/answer_refused.h"

namespace embedding::api {

size_t MaxTexts(const ServiceOptions& options, TextLimit dialect) {
  return options.max_client_batch_size.value_or(
      std::min(static_cast<size_t>(dialect), options.max_queue));
}

void Call::Answer(Response response) { responder.Answer(std::move(response)); }

Status Call::Charge(const std::string& body, ByteCharge& charge) const {
  if (charge.GrowTo(body.capacity())) return {};
  return AnswerRefused(body.capacity(), answers.limit());
}

std::optional<http::Refusal> Call::ChargeReading(ByteCharge& charge) const {
  // What simdjson holds for the characters that begin values, or end them; a number of two bytes
  // takes twelve times itself, and no body takes more.
  constexpr size_t kPerValue = 24;
  constexpr size_t kPerBracket = 12;
  constexpr size_t kMostPerByte = 12;
  size_t bytes = 0;
  for (const char c : request.body) {
    if (c == ',') {
      bytes += kPerValue;
    } else if (c == '[' || c == ']' || c == '{' || c == '}' || c == ':') {
      bytes += kPerBracket;
    }
  }
  bytes = std::min(bytes, kMostPerByte * request.body.size());
  charge = ByteCharge(reading);
  if (charge.GrowTo(bytes)) return std::nullopt;
  if (bytes > reading.limit()) {
    return http::Refusal{
        http::StatusCode::kPayloadTooLarge,
        "reading the body would take " + std::to_string(bytes) + " bytes for its values, of " +
            std::to_string(reading.limit()) +
            " that reading may take; send fewer values at a time, or raise --payload-limit"};
  }
  return http::Refusal{http::StatusCode::kServiceUnavailable,
                       "the requests that are being read take all of the " +
                           std::to_string(reading.limit()) + " bytes that they may, try again"};
}

void Call::Fail(const Error& error) {
  Error named = error;
  // A full queue, say, is no part's.
  const bool is_of_part = !error.field.empty() || error.code == ErrorCode::kUnsupported;
  if (!part_name.empty() && is_of_part) {
    const bool begins_with_field = !error.field.empty() && error.message.starts_with(error.field);
    named.message.insert(0, part_name + (begins_with_field ? "." : ": "));
  }
  Answer(ErrorResponse(named, request.target, request.request_id));
}

void Call::Fail(const http::Refusal& refusal) {
  Answer(RefusalResponse(refusal, request.target, request.request_id));
}

Embedder* Call::Named(std::string_view name) const {
  const auto without_tag = [](std::string_view full) {
    constexpr std::string_view kLatest = ":latest";
    if (full.ends_with(kLatest)) full.remove_suffix(kLatest.size());
    return full;
  };
  const auto found = std::find_if(models->begin(), models->end(), [&](Embedder* model) {
    return without_tag(model->info().name) == without_tag(name);
  });
  return found == models->end() ? nullptr : *found;
}

Result<Embedder*> Call::Select(Purpose purpose, const JsonReader& json) const {
  ASSIGN_OR_RETURN(const std::optional<std::string> name, json.String("model"));
  if (name) {
    if (Embedder* named = Named(*name)) return named;
    if (options.strict_model) {
      return Error{ErrorCode::kNotFound,
                   "model: there is no \"" + std::string(Beginning(*name)) +
                       "\" here; GET /v1/models lists the models that there are",
                   "model"};
    }
  }
  for (Embedder* model : *models) {
    if (model->info().is_classifier() == (purpose == Purpose::kClassify)) return model;
  }
  return models->front();
}

void Take(const CallPtr& call, const std::function<void()>& step) {
  try {
    step();
  } catch (const std::exception& e) {
    try {
      if (call->responder) call->Fail(Error{ErrorCode::kInternal, e.what(), ""});
    } catch (const std::exception&) {
      // Not even for that is there memory. The call ends unanswered, which the Responder answers.
    }
  }
}

void Continue(const CallPtr& call, std::function<void()> step) {
  call->post([call, step = std::move(step)] { Take(call, step); });
}

namespace {

// A float, and its text, which is written while the float is there: with its comma a component of a
// vector of length 1 takes 12 characters on average.
constexpr size_t kBytesPerNumber = sizeof(float) + 12;

// The headers in which text-embeddings-inference tells what a request cost, in ms.
template <typename Computed>
void AddCosts(const Call& call, const Computed& computed, std::vector<Header>& headers) {
  const Timings& timings = computed.timings;
  const auto ms = [](Timings::Duration duration) {
    return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count());
  };
  headers.push_back({"x-compute-time", ms(timings.tokenization + timings.inference)});
  headers.push_back({"x-total-time", ms(std::chrono::steady_clock::now() - call.received)});
  headers.push_back({"x-tokenization-time", ms(timings.tokenization)});
  headers.push_back({"x-queue-time", ms(timings.queue)});
  headers.push_back({"x-inference-time", ms(timings.inference)});
  headers.push_back({"x-compute-tokens", std::to_string(computed.prompt_tokens)});
  headers.push_back({"x-compute-characters", std::to_string(computed.characters)});
}

// For whoever keeps account of it.
template <typename Computed>
http::Cost CostOf(size_t texts, const Computed& computed) {
  return {.texts = texts,
          .cached_texts = computed.cached_texts.value_or(0),
          .truncated_texts = computed.truncated_texts,
          .tokens = computed.prompt_tokens,
          .tokenization = computed.timings.tokenization,
          .queue = computed.timings.queue,
          .inference = computed.timings.inference};
}

template <typename Computed>
std::function<void(Result<Computed>)> Finisher(
    const CallPtr& call, size_t texts, std::string texts_field,
    std::function<Result<Response>(const Computed&)> format) {
  return [call, texts, texts_field = std::move(texts_field), format = std::move(format),
          asker = std::this_thread::get_id()](Result<Computed> computed) mutable {
    // Called once. What is thrown here, on the computing thread, leaves the call unanswered, which
    // the Responder answers.
    try {
      std::function<void()> step =
          [call, texts, texts_field = std::move(texts_field), format = std::move(format),
           computed = std::make_shared<Result<Computed>>(std::move(computed))] {
            if (!computed->ok()) return call->Fail(NameTexts(computed->error(), texts_field));
            Computed& result = **computed;
            call->metrics.CountComputed(result.timings, texts, result.prompt_tokens);
            if (result.cached_texts) call->metrics.CountLookup(result.timings);
            Result<Response> response = format(result);
            if (!response.ok()) return call->Fail(response.error());
            if (result.truncated_texts > 0) {
              response->headers.push_back({"x-truncated", std::to_string(result.truncated_texts)});
            }
            if (result.cached_texts) {
              response->headers.push_back(
                  {kCacheHeader, WriteCacheHits({*result.cached_texts, result.texts})});
            }
            AddCosts(*call, result, response->headers);
            response->cost = CostOf(texts, result);
            response->charge = std::move(result.charge);
            call->Answer(*std::move(response));
          };
      // Who asks is a worker, which goes on itself with what comes at once, out of the cache.
      if (std::this_thread::get_id() == asker) {
        Take(call, step);
      } else {
        Continue(call, std::move(step));
      }
    } catch (const std::exception&) {
      call->responder = {};
    }
  };
}

}  // namespace

void AnswerEmbed(const CallPtr& call, Embedder& embedder, EmbedRequest request,
                 std::string texts_field,
                 std::function<Result<Response>(const EmbedResponse&)> format) {
  request.cancelled = call->request.cancelled;
  request.client = call->request.client.id;
  request.answer_budget = &call->answers;
  request.bytes_per_number = kBytesPerNumber;
  embedder.EmbedAsync(request, Finisher<EmbedResponse>(call, request.size(), std::move(texts_field),
                                                       std::move(format)));
}

void AnswerRerank(const CallPtr& call, Embedder& embedder, RerankRequest request,
                  std::string texts_field,
                  std::function<Result<Response>(const RerankResponse&)> format) {
  request.cancelled = call->request.cancelled;
  request.client = call->request.client.id;
  request.answer_budget = &call->answers;
  const size_t texts = request.texts.size();
  RerankAsync(embedder, std::move(request),
              Finisher<RerankResponse>(call, texts, std::move(texts_field), std::move(format)));
}

}  // namespace embedding::api
