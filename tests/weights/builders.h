// Weight files composed in memory, so that each test can break exactly one thing in a good file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace embedding {

inline std::span<const std::byte> AsBytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

template <typename T>
std::string LittleEndian(T value) {
  std::string out(sizeof(T), '\0');
  std::memcpy(out.data(), &value, sizeof(T));
  return out;
}

template <typename T>
std::string TensorBytes(const std::vector<T>& values) {
  std::string out;
  for (const T value : values) out += LittleEndian(value);
  return out;
}

inline std::string Concat(std::initializer_list<std::string_view> parts) {
  std::string out;
  for (const std::string_view part : parts) out += part;
  return out;
}

// --- safetensors

inline std::string Safetensors(std::string_view header, std::string_view data) {
  return LittleEndian<uint64_t>(header.size()) + std::string(header) + std::string(data);
}

// --- zip

struct ZipPart {
  std::string name;
  std::string content;
  // What the headers say instead of the truth.
  uint16_t flags = 0;
  uint16_t method = 0;
  int64_t size_in_directory = -1;
  int64_t offset_in_directory = -1;
  std::string name_in_local_header = {};
  bool zip64 = false;  // sizes and offset in an extra field
};

struct ZipOptions {
  bool zip64_end = false;
  int entries_announced = -1;
  std::string comment = {};
};

// The name, sizes and offset that the headers of one entry give.
struct ZipNumbers {
  uint64_t size = 0;
  uint64_t offset = 0;
  bool zip64 = false;

  std::string Narrow(uint64_t value) const {
    return LittleEndian(zip64 ? 0xFFFFFFFFU : static_cast<uint32_t>(value));
  }
  std::string Extra() const {
    if (!zip64) return {};
    return Concat({LittleEndian<uint16_t>(1), LittleEndian<uint16_t>(24), LittleEndian(size),
                   LittleEndian(size), LittleEndian(offset)});
  }
};

// What a local header and a record of the central directory have in common, flags to sizes.
inline std::string ZipCommonFields(const ZipPart& part, const ZipNumbers& numbers) {
  const std::string time_and_crc(8, '\0');
  return Concat({LittleEndian(part.flags), LittleEndian(part.method), time_and_crc,
                 numbers.Narrow(numbers.size), numbers.Narrow(numbers.size)});
}

inline std::string ZipLocalHeader(const ZipPart& part, const ZipNumbers& numbers) {
  const std::string& name =
      part.name_in_local_header.empty() ? part.name : part.name_in_local_header;
  return Concat({"PK\3\4", LittleEndian<uint16_t>(0), ZipCommonFields(part, numbers),
                 LittleEndian(static_cast<uint16_t>(name.size())), LittleEndian<uint16_t>(0),
                 name});
}

inline std::string ZipDirectoryRecord(const ZipPart& part, const ZipNumbers& numbers) {
  const std::string extra = numbers.Extra();
  return Concat({"PK\1\2", LittleEndian<uint32_t>(0), ZipCommonFields(part, numbers),
                 LittleEndian(static_cast<uint16_t>(part.name.size())),
                 LittleEndian(static_cast<uint16_t>(extra.size())), std::string(10, '\0'),
                 numbers.Narrow(numbers.offset), part.name, extra});
}

inline std::string ZipEnd(uint64_t directory_offset, uint64_t directory_size, uint16_t entries,
                          const ZipOptions& options) {
  const ZipNumbers numbers{directory_size, directory_offset, options.zip64_end};
  std::string end;
  if (options.zip64_end) {
    const auto wide_entries = LittleEndian<uint64_t>(entries);
    end = Concat({"PK\6\6", LittleEndian<uint64_t>(44), std::string(12, '\0'), wide_entries,
                  wide_entries, LittleEndian(directory_size), LittleEndian(directory_offset),
                  "PK\6\7", LittleEndian<uint32_t>(0),
                  LittleEndian(directory_offset + directory_size), LittleEndian<uint32_t>(1)});
  }
  return Concat({end, "PK\5\6", LittleEndian<uint32_t>(0), LittleEndian(entries),
                 LittleEndian(entries), numbers.Narrow(directory_size),
                 numbers.Narrow(directory_offset),
                 LittleEndian(static_cast<uint16_t>(options.comment.size())), options.comment});
}

inline std::string Zip(const std::vector<ZipPart>& parts, const ZipOptions& options = {}) {
  const auto unless = [](int64_t claimed, size_t truth) {
    return claimed >= 0 ? static_cast<uint64_t>(claimed) : truth;
  };
  std::string file;
  std::string directory;
  for (const ZipPart& part : parts) {
    const ZipNumbers numbers{unless(part.size_in_directory, part.content.size()),
                             unless(part.offset_in_directory, file.size()), part.zip64};
    directory += ZipDirectoryRecord(part, numbers);
    file += ZipLocalHeader(part, numbers);
    file += part.content;
  }
  const auto entries = static_cast<uint16_t>(unless(options.entries_announced, parts.size()));
  return Concat({file, directory, ZipEnd(file.size(), directory.size(), entries, options)});
}

// --- pickle: each function gives the opcodes that push one value

inline std::string Str(std::string_view text) {
  return "X" + LittleEndian(static_cast<uint32_t>(text.size())) + std::string(text);
}
inline std::string Int(int32_t value) { return "J" + LittleEndian(value); }
inline std::string Global(std::string_view module, std::string_view name) {
  return "c" + std::string(module) + "\n" + std::string(name) + "\n";
}
inline std::string Tuple(const std::vector<std::string>& items) {
  std::string out = "(";
  for (const std::string& item : items) out += item;
  return out + "t";
}
inline std::string Ints(const std::vector<int32_t>& values) {
  std::string out = "(";
  for (const int32_t value : values) out += Int(value);
  return out + "t";
}
inline std::string Call(const std::string& callee, const std::vector<std::string>& arguments) {
  return callee + Tuple(arguments) + "R";
}
inline std::string Dict(const std::vector<std::pair<std::string, std::string>>& items) {
  std::string out = "}(";
  for (const auto& [key, value] : items) out += Str(key) + value;
  return out + "u";
}
// A whole pickle.
inline std::string Pickle(const std::string& value) { return "\x80\x02" + value + "."; }

struct TensorPickle {
  std::string storage_type = "FloatStorage";
  std::string key = "0";
  int32_t storage_elements = 6;
  int32_t offset = 0;
  std::vector<int32_t> shape = {2, 3};
  std::vector<int32_t> strides = {3, 1};
};

inline std::string Tensor(const TensorPickle& t = {}) {
  const std::string id = Tuple({Str("storage"), Global("torch", t.storage_type), Str(t.key),
                                Str("cpu"), Int(t.storage_elements)});
  return Call(Global("torch._utils", "_rebuild_tensor_v2"),
              {id + "Q", Int(t.offset), Ints(t.shape), Ints(t.strides), "\x89",
               Global("collections", "OrderedDict") + ")R"});
}

// --- PyTorch archive

inline std::string TorchArchive(const std::string& pickle, const std::vector<std::string>& storages,
                                const std::string& byte_order = "little") {
  std::vector<ZipPart> parts = {{"model/data.pkl", pickle}, {"model/byteorder", byte_order}};
  for (size_t i = 0; i < storages.size(); ++i) {
    parts.push_back({"model/data/" + std::to_string(i), storages[i]});
  }
  return Zip(parts);
}

inline const std::vector<float> kSixFloats = {1, -2, 0.5F, 4, 5, 6};

}  // namespace embedding
