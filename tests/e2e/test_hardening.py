"""What the linker was told shows in the binary (cmake/Hardening.cmake). For optimised builds."""

import platform

import pytest
from elftools.elf.constants import P_FLAGS
from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile

from server import BINARY

DF_BIND_NOW, DF_1_NOW, DF_1_PIE = 0x8, 0x1, 0x8000000
# What a function that may be jumped to begins with: endbr64; paciasp or bti c.
LANDINGS = {
    "x86_64": [b"\xf3\x0f\x1e\xfa"],
    "aarch64": [b"\x3f\x23\x03\xd5", b"\x5f\x24\x03\xd5"],
}


@pytest.fixture(scope="module")
def elf():
    with open(BINARY, "rb") as file:
        yield ELFFile(file)


def dynamic(elf, tag):
    section = next(s for s in elf.iter_sections() if isinstance(s, DynamicSection))
    return next((t.entry.d_val for t in section.iter_tags(tag)), 0)


def segment(elf, kind):
    return next((s for s in elf.iter_segments() if s.header.p_type == kind), None)


def imported(elf):
    symbols = elf.get_section_by_name(".dynsym").iter_symbols()
    return {s.name for s in symbols if s.entry.st_shndx == "SHN_UNDEF"}


def test_it_is_loaded_at_an_address_that_differs(elf):
    assert elf.header.e_type == "ET_DYN"
    assert dynamic(elf, "DT_FLAGS_1") & DF_1_PIE
    assert dynamic(elf, "DT_TEXTREL") == 0  # no code is written to at the start


def test_what_the_dynamic_linker_writes_is_read_only_afterwards(elf):
    assert segment(elf, "PT_GNU_RELRO") is not None
    assert dynamic(elf, "DT_FLAGS") & DF_BIND_NOW or dynamic(elf, "DT_FLAGS_1") & DF_1_NOW


def test_no_memory_is_both_written_and_executed(elf):
    assert not segment(elf, "PT_GNU_STACK").header.p_flags & P_FLAGS.PF_X
    for loaded in elf.iter_segments("PT_LOAD"):
        flags = loaded.header.p_flags
        assert not (flags & P_FLAGS.PF_W and flags & P_FLAGS.PF_X)


def test_frames_have_canaries(elf):
    assert "__stack_chk_fail" in imported(elf)


def test_copies_are_checked(elf):
    # Those that the code of src/ has always had a use for.
    assert {"__memcpy_chk", "__memmove_chk"} & imported(elf), imported(elf)


def test_jumps_go_only_where_the_code_means_them_to(elf):
    """By the code, not by the property note: that is dropped where the C library's start files have
    none (Debian 12), and kept where they do (Ubuntu)."""
    text = elf.get_section_by_name(".text")
    code, begin = text.data(), text.header.sh_addr
    functions = {
        s.name: code[s.entry.st_value - begin :][:4]
        for s in elf.get_section_by_name(".symtab").iter_symbols()
        if s.entry.st_info.type == "STT_FUNC" and s.entry.st_info.bind != "STB_LOCAL"
        and begin <= s.entry.st_value < begin + len(code)
    }  # fmt: skip
    ours = {name: first for name, first in functions.items() if name.startswith("_ZN9embedding")}
    assert len(ours) > 100
    landings = LANDINGS[platform.machine()]
    assert [name for name, first in ours.items() if first not in landings] == []
