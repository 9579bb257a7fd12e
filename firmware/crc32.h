/* crc32.h - zlib's checksum, as on the host. SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_CRC32_H
#define MN_CRC32_H

#include <stddef.h>
#include <stdint.h>

uint32_t mn_firmware_crc32(const void *data, size_t size);

#endif
