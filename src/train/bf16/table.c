/* table.c - the kernels of this variant as one table.
 * SPDX-License-Identifier: Apache-2.0 */
#include "train/bf16/internal.h"

#define MN_TEXT1(x) #x
#define MN_TEXT(x) MN_TEXT1(x)

const mn_half MN_LANE(bf16_table) = {
    .name = MN_TEXT(MN_ISA),
    .arithmetic = MN_ARITHMETIC_BF16,
    .gemm = MN_LANE(bf16_gemm),
    .pack = MN_LANE(bf16_pack),
    .read = MN_LANE(bf16_read),
    .unnormalize = MN_LANE(bf16_unnormalize),
};
