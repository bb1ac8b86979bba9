#include "app/embed_lines.h"

#include <deque>
#include <future>
#include <memory>
#include <utility>
#include <vector>

#include "base/json_writer.h"

namespace embedding::app {
namespace {

// Texts that go to the model as one request, and requests at a time: enough for whole batches while
// one is read and another written.
constexpr size_t kTextsPerRequest = 32;
constexpr size_t kBytesPerRequest = 1'000'000;
constexpr size_t kRequests = 8;

struct Pending {
  uint64_t first_line;
  std::vector<std::string> texts;
  std::future<Result<EmbedResponse>> answer;
};

Status AppendVectors(const EmbedResponse& response, const Outputs& wanted, size_t i,
                     std::string& line) {
  JsonWriter json(line);
  json.BeginObject();
  if (wanted.dense) RETURN_IF_ERROR(json.Key("embedding").Floats(response.embedding(i)));
  if (wanted.lexical_weights) {
    json.Key("lexical_weights").BeginObject();
    for (const TokenWeight& token : response.lexical_weights[i])
      RETURN_IF_ERROR(json.Key(std::to_string(token.id)).Float(token.weight));
    json.EndObject();
  }
  if (wanted.colbert_vecs) {
    json.Key("colbert_vecs");
    RETURN_IF_ERROR(json.Rows(response.colbert_vecs[i], response.colbert_dimension));
  }
  json.EndObject();
  return {};
}

class Writer {
 public:
  Writer(const AskTexts& ask, const Outputs& wanted, bool strict, const WriteLines& write)
      : ask_(ask), wanted_(wanted), strict_(strict), write_(write) {}

  const LinesReport& report() const { return report_; }

  Status Write(Pending pending) {
    const Result<EmbedResponse> response = pending.answer.get();
    std::string lines;
    Status status;
    for (size_t i = 0; i < pending.texts.size() && status.ok(); ++i) {
      // A request with one bad text fails as a whole: each is asked by itself.
      const size_t whole = lines.size();
      status = response.ok() ? AppendVectors(*response, wanted_, i, lines)
                             : WriteAlone(pending.texts[i], pending.first_line + i, lines);
      if (!status.ok()) {
        lines.resize(whole);
        break;
      }
      lines += '\n';
      ++report_.lines;
    }
    RETURN_IF_ERROR(write_(lines));
    return status;
  }

 private:
  Status WriteAlone(const std::string& text, uint64_t number, std::string& lines) {
    const Result<EmbedResponse> response = ask_({text}).get();
    if (response.ok()) return AppendVectors(*response, wanted_, 0, lines);
    // What holds for every text, or is the machine's, is no line's fault.
    const ErrorCode code = response.error().code;
    const bool of_text = code == ErrorCode::kInvalidArgument || code == ErrorCode::kMalformed;
    if (strict_ || !of_text) return Error(response.error()).At("line " + std::to_string(number));
    JsonWriter json(lines);
    json.BeginObject().Key("line").Integer(number);
    json.Key("error").String(response.error().message).EndObject();
    ++report_.failed;
    return {};
  }

  const AskTexts& ask_;
  const Outputs& wanted_;
  const bool strict_;
  const WriteLines& write_;
  LinesReport report_;
};

}  // namespace

AskTexts AskHere(Embedder& embedder, EmbedRequest like) {
  return [&embedder, like = std::move(like)](std::vector<std::string> texts) {
    EmbedRequest request = like;
    request.texts = std::move(texts);
    auto promise = std::make_shared<std::promise<Result<EmbedResponse>>>();
    std::future<Result<EmbedResponse>> answer = promise->get_future();
    embedder.EmbedAsync(request, [promise](Result<EmbedResponse> response) {
      promise->set_value(std::move(response));
    });
    return answer;
  };
}

Result<LinesReport> EmbedLines(const AskTexts& ask, const Outputs& wanted, uint64_t first_line,
                               bool strict, const NextText& next, const WriteLines& write,
                               const LinesProgress& progress) {
  // What is wrong with the request itself is said before a text is read.
  const Result<EmbedResponse> probe = ask({""}).get();
  if (!probe.ok()) return probe.error();
  Writer writer(ask, wanted, strict, write);
  std::deque<Pending> pending;
  uint64_t line = first_line;
  for (bool more = true; more || !pending.empty();) {
    if (more && pending.size() < kRequests) {
      Pending request{line, {}, {}};
      for (size_t bytes = 0; request.texts.size() < kTextsPerRequest && bytes < kBytesPerRequest;) {
        ASSIGN_OR_RETURN(std::optional<std::string> text, next());
        more = text.has_value();
        if (!more) break;
        bytes += text->size();
        request.texts.push_back(*std::move(text));
      }
      if (request.texts.empty()) continue;
      line += request.texts.size();
      request.answer = ask(request.texts);
      pending.push_back(std::move(request));
      continue;
    }
    RETURN_IF_ERROR(writer.Write(std::move(pending.front())));
    pending.pop_front();
    progress(writer.report().lines);
  }
  return writer.report();
}

}  // namespace embedding::app
