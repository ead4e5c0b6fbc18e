// CRC-32C (Castagnoli), by the processor's instruction where there is one: Swift has no name for it.
#ifndef TWINLINE_CHECKSUM_H
#define TWINLINE_CHECKSUM_H
#include <stddef.h>
#include <stdint.h>
uint32_t twinline_crc32c(uint32_t crc, const void *bytes, size_t count);
#endif
