// Instructions of x86-64 that a processor does not have, done in the handler of the signal that it
// raises for them: kernels that are made of them are tested on every processor, though slowly.
//
// AMX's are ldtilecfg, tilerelease, tilezero, tileloadd, tileloaddt1, tilestored, tdpbf16ps,
// tdpbusd and tdpbssd, AVX-VNNI's is vpdpbusd of 256 bits, as Intel's manual (volume 2) defines
// them. What the processor would raise an exception for ends the process, saying what it was: a
// tile that is not configured, say.
#pragma once

namespace embedding {

// Whether there is such a thing here: on Linux on x86-64.
bool CanEmulateInstructions();

// From now on, in the whole process. Instructions that the processor has it does itself.
void EmulateInstructions();

}  // namespace embedding
