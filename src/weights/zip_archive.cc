// A zip archive is read from its end:
//
//   local header, content, [data descriptor]     once an entry
//   central directory                            a record an entry: name, sizes, local header's
//   offset [zip64 end record, zip64 locator]            64-bit sizes of the directory end record,
//   comment                          16- and 32-bit sizes of the directory
//
// A field of the old, small kind that is all ones has its value in the zip64 record. The same facts
// stand in several places; programs that trust different ones can be shown different files. So the
// places must agree here: the directory ends where the end records begin, the local header repeats
// the directory's record, and what the entries occupy is disjoint. Sizes in a local header may be
// zero where bit 3 of the flags says that they follow the content (PyTorch writes that).

#include "weights/zip_archive.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <utility>

#include "weights/little_endian.h"
#include "weights/model_error.h"

namespace embedding {
namespace {

using Bytes = std::span<const std::byte>;

constexpr uint32_t kLocalSignature = 0x04034b50;
constexpr uint32_t kCentralSignature = 0x02014b50;
constexpr uint32_t kEndSignature = 0x06054b50;
constexpr uint32_t kZip64EndSignature = 0x06064b50;
constexpr uint32_t kZip64LocatorSignature = 0x07064b50;

constexpr size_t kLocalBytes = 30;
constexpr size_t kCentralBytes = 46;
constexpr size_t kEndBytes = 22;
constexpr size_t kZip64EndBytes = 56;
constexpr size_t kZip64LocatorBytes = 20;

constexpr uint16_t kEncrypted = 1 << 0;
constexpr uint16_t kSizesFollow = 1 << 3;
constexpr uint16_t kStored = 0;
constexpr uint16_t kZip64ExtraId = 1;
constexpr uint32_t kInZip64 = 0xFFFFFFFF;

uint16_t U16(Bytes bytes, size_t offset) { return LoadLittleEndian<uint16_t>(bytes, offset); }
uint32_t U32(Bytes bytes, size_t offset) { return LoadLittleEndian<uint32_t>(bytes, offset); }
uint64_t U64(Bytes bytes, size_t offset) { return LoadLittleEndian<uint64_t>(bytes, offset); }

// Where the central directory is.
struct Directory {
  uint64_t offset = 0;
  uint64_t size_bytes = 0;
  uint64_t entries = 0;
};

// A record of the central directory.
struct Record {
  std::string_view name;
  uint16_t flags = 0;
  uint16_t method = 0;
  uint64_t size_bytes = 0;
  uint64_t stored_bytes = 0;
  uint64_t local_offset = 0;
  size_t record_bytes = 0;  // of the record itself
};

// The bytes that an entry occupies, its local header included.
struct Extent {
  uint64_t begin = 0;
  uint64_t end = 0;
  std::string_view name;
};

// The end record is the last one whose comment reaches exactly to the end of the file.
std::optional<size_t> FindEndRecord(Bytes file) {
  for (size_t comment = 0; comment <= UINT16_MAX && kEndBytes + comment <= file.size(); ++comment) {
    const size_t position = file.size() - kEndBytes - comment;
    if (U32(file, position) == kEndSignature && U16(file, position + 20) == comment) {
      return position;
    }
  }
  return std::nullopt;
}

// Replaces the end record's numbers by those of the zip64 end record, which the locator before the
// end record points to. Gives that record's position.
Result<size_t> ReadZip64End(Bytes file, size_t locator, Directory& directory) {
  const uint64_t position = U64(file, locator + 8);
  if (locator < kZip64EndBytes || position > locator - kZip64EndBytes ||
      U32(file, position) != kZip64EndSignature ||
      U64(file, position + 4) != locator - position - 12) {
    return ModelError("zip: the zip64 locator does not point to a zip64 end record");
  }
  if (U32(file, position + 16) != 0 || U32(file, position + 20) != 0 ||
      U64(file, position + 24) != U64(file, position + 32)) {
    return ModelError("zip: the archive is split over several files");
  }
  const Directory wide{.offset = U64(file, position + 48),
                       .size_bytes = U64(file, position + 40),
                       .entries = U64(file, position + 32)};
  const auto agrees = [](uint64_t narrow, uint64_t value, uint64_t in_zip64) {
    return narrow == value || narrow == in_zip64;
  };
  if (!agrees(directory.offset, wide.offset, kInZip64) ||
      !agrees(directory.size_bytes, wide.size_bytes, kInZip64) ||
      !agrees(directory.entries, wide.entries, UINT16_MAX)) {
    return ModelError("zip: the two end records contradict each other");
  }
  directory = wide;
  return position;
}

Result<Directory> FindDirectory(Bytes file) {
  const std::optional<size_t> end_record = FindEndRecord(file);
  if (!end_record) {
    return ModelError("zip: no end record: the file is truncated or not a zip archive");
  }
  if (U16(file, *end_record + 4) != 0 || U16(file, *end_record + 6) != 0 ||
      U16(file, *end_record + 8) != U16(file, *end_record + 10)) {
    return ModelError("zip: the archive is split over several files");
  }
  Directory directory{.offset = U32(file, *end_record + 16),
                      .size_bytes = U32(file, *end_record + 12),
                      .entries = U16(file, *end_record + 10)};
  size_t directory_end = *end_record;
  if (*end_record >= kZip64LocatorBytes &&
      U32(file, *end_record - kZip64LocatorBytes) == kZip64LocatorSignature) {
    ASSIGN_OR_RETURN(directory_end,
                     ReadZip64End(file, *end_record - kZip64LocatorBytes, directory));
  }
  if (directory.offset > directory_end ||
      directory.size_bytes != directory_end - directory.offset) {
    return ModelError(
        "zip: the central directory is not where the end record says (offset {}, {} bytes); "
        "the file is truncated or damaged",
        directory.offset, directory.size_bytes);
  }
  return directory;
}

// Takes the values that `record` has to look for in its zip64 extra field.
Status ReadExtra(Bytes extra, Record& record, bool wide_size, bool wide_stored, bool wide_offset) {
  for (size_t position = 0; position < extra.size();) {
    if (extra.size() - position < 4 || extra.size() - position - 4 < U16(extra, position + 2)) {
      return ModelError("zip entry {}: its extra field is damaged", Quoted(record.name));
    }
    const Bytes field = extra.subspan(position + 4, U16(extra, position + 2));
    if (U16(extra, position) == kZip64ExtraId) {
      size_t at = 0;
      for (const auto& [wanted, value] : {std::pair(&wide_size, &record.size_bytes),
                                          std::pair(&wide_stored, &record.stored_bytes),
                                          std::pair(&wide_offset, &record.local_offset)}) {
        if (!*wanted || field.size() - at < sizeof(uint64_t)) continue;
        *value = U64(field, at);
        *wanted = false;
        at += sizeof(uint64_t);
      }
    }
    position += 4 + field.size();
  }
  if (wide_size || wide_stored || wide_offset) {
    return ModelError("zip entry {}: its zip64 sizes are missing", Quoted(record.name));
  }
  return {};
}

// The record at the beginning of `rest`, which reaches to the end of the directory.
Result<Record> ReadRecord(Bytes rest) {
  if (rest.size() < kCentralBytes || U32(rest, 0) != kCentralSignature) {
    return ModelError("zip: the central directory is truncated or damaged");
  }
  const size_t name_bytes = U16(rest, 28);
  const size_t extra_bytes = U16(rest, 30);
  Record record{.name = {},
                .flags = U16(rest, 8),
                .method = U16(rest, 10),
                .size_bytes = U32(rest, 24),
                .stored_bytes = U32(rest, 20),
                .local_offset = U32(rest, 42),
                .record_bytes = kCentralBytes + name_bytes + extra_bytes + U16(rest, 32)};
  if (record.record_bytes > rest.size()) {
    return ModelError("zip: the central directory is truncated or damaged");
  }
  record.name = AsText(rest.subspan(kCentralBytes, name_bytes));
  RETURN_IF_ERROR(ReadExtra(rest.subspan(kCentralBytes + name_bytes, extra_bytes), record,
                            record.size_bytes == kInZip64, record.stored_bytes == kInZip64,
                            record.local_offset == kInZip64));
  if ((record.flags & kEncrypted) != 0) {
    return ModelError("zip entry {} is encrypted", Quoted(record.name));
  }
  if (record.method != kStored) {
    return ModelError(
        "zip entry {} is compressed (method {}); weights must be stored uncompressed, "
        "as torch.save writes them",
        Quoted(record.name), record.method);
  }
  if (record.size_bytes != record.stored_bytes) {
    return ModelError("zip entry {} is stored, but its two sizes differ: {} and {}",
                      Quoted(record.name), record.size_bytes, record.stored_bytes);
  }
  return record;
}

// What the entry occupies before `limit`, where the central directory begins.
Result<Extent> ReadLocalHeader(Bytes file, const Record& record, uint64_t limit) {
  if (limit < kLocalBytes || record.local_offset > limit - kLocalBytes) {
    return ModelError("zip entry {} lies past the end of the entries", Quoted(record.name));
  }
  const Bytes local = file.subspan(record.local_offset, limit - record.local_offset);
  const size_t name_bytes = U16(local, 26);
  const size_t header_bytes = kLocalBytes + name_bytes + U16(local, 28);
  if (U32(local, 0) != kLocalSignature || header_bytes > local.size()) {
    return ModelError("zip entry {}: there is no local header at its offset", Quoted(record.name));
  }
  const auto size_agrees = [&](uint32_t size, uint64_t expected) {
    return size == expected || size == kInZip64 || (size == 0 && (record.flags & kSizesFollow));
  };
  if (AsText(local.subspan(kLocalBytes, name_bytes)) != record.name ||
      U16(local, 6) != record.flags || U16(local, 8) != record.method ||
      !size_agrees(U32(local, 18), record.stored_bytes) ||
      !size_agrees(U32(local, 22), record.size_bytes)) {
    return ModelError("zip entry {}: its local header contradicts the central directory",
                      Quoted(record.name));
  }
  if (record.size_bytes > local.size() - header_bytes) {
    return ModelError("zip entry {}: its {} bytes reach past the end of the entries",
                      Quoted(record.name), record.size_bytes);
  }
  return Extent{.begin = record.local_offset,
                .end = record.local_offset + header_bytes + record.size_bytes,
                .name = record.name};
}

Status CheckDisjoint(std::vector<Extent> extents) {
  std::sort(extents.begin(), extents.end(),
            [](const Extent& a, const Extent& b) { return a.begin < b.begin; });
  for (size_t i = 1; i < extents.size(); ++i) {
    if (extents[i].begin < extents[i - 1].end) {
      return ModelError("zip entries {} and {} overlap", Quoted(extents[i - 1].name),
                        Quoted(extents[i].name));
    }
  }
  return {};
}

}  // namespace

Result<std::vector<ZipEntry>> ReadZip(Bytes file) {
  ASSIGN_OR_RETURN(const Directory directory, FindDirectory(file));
  Bytes rest = file.subspan(directory.offset, directory.size_bytes);
  std::vector<ZipEntry> entries;
  std::vector<Extent> extents;
  std::set<std::string_view> names;
  while (!rest.empty()) {
    ASSIGN_OR_RETURN(const Record record, ReadRecord(rest));
    rest = rest.subspan(record.record_bytes);
    ASSIGN_OR_RETURN(const Extent extent, ReadLocalHeader(file, record, directory.offset));
    if (!names.insert(record.name).second) {
      return ModelError("zip entry {} is there twice", Quoted(record.name));
    }
    entries.push_back(
        {record.name, file.subspan(extent.end - record.size_bytes, record.size_bytes)});
    extents.push_back(extent);
  }
  if (entries.size() != directory.entries) {
    return ModelError("zip: the end record announces {} entries, the central directory has {}",
                      directory.entries, entries.size());
  }
  RETURN_IF_ERROR(CheckDisjoint(std::move(extents)));
  return entries;
}

}  // namespace embedding
