// PyTorch archives: a zip file with a pickle in it. The mutator changes one entry of a good archive
// and builds the archive anew, so that offsets and sizes still agree; now and then it changes the
// archive itself.
#include "weights/torch_archive.h"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "fuzz/tensors.h"
#include "weights/builders.h"
#include "weights/little_endian.h"
#include "weights/zip_archive.h"

namespace embedding {
namespace {

// `part` after a mutation that may double it.
std::string Mutated(std::string part) {
  const size_t size = part.size();
  part.resize(2 * size + 16);
  part.resize(LLVMFuzzerMutate(reinterpret_cast<uint8_t*>(part.data()), size, part.size()));
  return part;
}

// The archive with one entry changed, or nothing if it has none to change.
std::string WithEntryChanged(std::string_view archive, unsigned int seed) {
  const Result<std::vector<ZipEntry>> entries = ReadZip(AsBytes(archive));
  if (!entries.ok() || entries->empty()) return "";
  std::minstd_rand random(seed);
  std::vector<ZipPart> parts;
  for (const ZipEntry& entry : *entries) {
    parts.push_back({.name = std::string(entry.name), .content = std::string(AsText(entry.bytes))});
    parts.back().zip64 = random() % 8 == 0;
  }
  // The pickle is where most can go wrong, and torch.save puts it first.
  ZipPart& part = parts[random() % 2 == 0 ? 0 : random() % parts.size()];
  switch (random() % 16) {
    case 0:
      part.name = Mutated(part.name);
      break;
    case 1:
      part.size_in_directory = static_cast<int64_t>(random() % (archive.size() + 2));
      break;
    case 2:
      part.offset_in_directory = static_cast<int64_t>(random() % (archive.size() + 2));
      break;
    case 3:
      part.flags = static_cast<uint16_t>(random());
      break;
    case 4:
      parts.push_back(part);
      break;
    default:
      part.content = Mutated(part.content);
  }
  return Zip(parts, {.zip64_end = random() % 8 == 0});
}

}  // namespace
}  // namespace embedding

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned int seed) {
  if (seed % 8 != 0) {
    const std::string changed = embedding::WithEntryChanged(embedding::AsString(data, size), seed);
    if (!changed.empty() && changed.size() <= max_size) {
      std::copy(changed.begin(), changed.end(), data);
      return changed.size();
    }
  }
  return LLVMFuzzerMutate(data, size, max_size);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  embedding::CheckTensors(&embedding::ReadTorchArchive, embedding::AsString(data, size));
  return 0;
}
