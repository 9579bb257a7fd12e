/* code_size_table.c - measured; made by scripts/code_size.sh, do not edit.
 * SPDX-License-Identifier: Apache-2.0 */
#include "micronets/target.h"

/* clang-format off */
static const mn_code_size rows_0[] = {
    {"run", 156, 120},
    {"call", 84, 0},
    {"feed", 7744, 552},
    {"mn_conv_2d_s8_ref", 800, 216},
    {"mn_depthwise_conv_2d_s8_ref", 1132, 176},
    {"mn_fully_connected_s8_ref", 444, 136},
    {"mn_average_pool_2d_s8_ref", 840, 136},
    {"mn_max_pool_2d_s8_ref", 328, 64},
    {"mn_mean_s8_ref", 824, 272},
    {"mn_add_s8_ref", 564, 120},
    {"mn_pad_s8_ref", 296, 48},
    {"mn_copy_ref", 28, 8},
    {"mn_softmax_s8_ref", 1320, 248},
    {"mn_rescale_s8_ref", 320, 112},
};
static const mn_code_size rows_1[] = {
    {"run", 156, 128},
    {"call", 85, 0},
    {"feed", 6528, 368},
    {"mn_conv_2d_s8_ref", 644, 136},
    {"mn_depthwise_conv_2d_s8_ref", 560, 104},
    {"mn_fully_connected_s8_ref", 308, 56},
    {"mn_average_pool_2d_s8_ref", 356, 64},
    {"mn_max_pool_2d_s8_ref", 280, 56},
    {"mn_mean_s8_ref", 576, 184},
    {"mn_add_s8_ref", 436, 56},
    {"mn_pad_s8_ref", 268, 32},
    {"mn_copy_ref", 44, 4},
    {"mn_softmax_s8_ref", 932, 100},
    {"mn_rescale_s8_ref", 204, 36},
};
static const mn_code_size rows_2[] = {
    {"run", 156, 128},
    {"call", 85, 0},
    {"feed", 6600, 368},
    {"mn_conv_2d_s8_ref", 624, 136},
    {"mn_depthwise_conv_2d_s8_ref", 556, 104},
    {"mn_fully_connected_s8_ref", 296, 56},
    {"mn_average_pool_2d_s8_ref", 360, 64},
    {"mn_max_pool_2d_s8_ref", 284, 56},
    {"mn_mean_s8_ref", 596, 184},
    {"mn_add_s8_ref", 424, 56},
    {"mn_pad_s8_ref", 304, 48},
    {"mn_copy_ref", 44, 4},
    {"mn_softmax_s8_ref", 960, 100},
    {"mn_rescale_s8_ref", 208, 36},
};
static const mn_code_size rows_3[] = {
    {"run", 156, 128},
    {"call", 85, 0},
    {"feed", 6444, 360},
    {"mn_conv_2d_s8_ref", 644, 136},
    {"mn_depthwise_conv_2d_s8_ref", 568, 104},
    {"mn_fully_connected_s8_ref", 304, 56},
    {"mn_average_pool_2d_s8_ref", 336, 64},
    {"mn_max_pool_2d_s8_ref", 292, 56},
    {"mn_mean_s8_ref", 572, 184},
    {"mn_add_s8_ref", 440, 56},
    {"mn_pad_s8_ref", 268, 32},
    {"mn_copy_ref", 44, 4},
    {"mn_softmax_s8_ref", 920, 100},
    {"mn_rescale_s8_ref", 208, 36},
};
static const mn_code_size rows_4[] = {
    {"run", 156, 128},
    {"call", 85, 0},
    {"feed", 6540, 360},
    {"mn_conv_2d_s8_ref", 632, 136},
    {"mn_depthwise_conv_2d_s8_ref", 544, 104},
    {"mn_fully_connected_s8_ref", 292, 56},
    {"mn_average_pool_2d_s8_ref", 340, 64},
    {"mn_max_pool_2d_s8_ref", 288, 56},
    {"mn_mean_s8_ref", 604, 184},
    {"mn_add_s8_ref", 440, 56},
    {"mn_pad_s8_ref", 272, 36},
    {"mn_copy_ref", 44, 4},
    {"mn_softmax_s8_ref", 928, 100},
    {"mn_rescale_s8_ref", 208, 36},
};
static const mn_code_size rows_5[] = {
    {"run", 156, 120},
    {"call", 84, 0},
    {"feed", 7744, 552},
    {"mn_conv_2d_s8_ref", 800, 216},
    {"mn_depthwise_conv_2d_s8_ref", 1132, 176},
    {"mn_fully_connected_s8_ref", 444, 136},
    {"mn_average_pool_2d_s8_ref", 840, 136},
    {"mn_max_pool_2d_s8_ref", 328, 64},
    {"mn_mean_s8_ref", 824, 272},
    {"mn_add_s8_ref", 564, 120},
    {"mn_pad_s8_ref", 296, 48},
    {"mn_copy_ref", 28, 8},
    {"mn_softmax_s8_ref", 1320, 248},
    {"mn_rescale_s8_ref", 320, 112},
};

static const mn_code_size_table tables[] = {
    {"cortex-m0", "-mcpu=cortex-m0 -mthumb", rows_0, MN_COUNT(rows_0)},
    {"cortex-m4", "-mcpu=cortex-m4 -mthumb", rows_1, MN_COUNT(rows_1)},
    {"cortex-m7", "-mcpu=cortex-m7 -mthumb", rows_2, MN_COUNT(rows_2)},
    {"cortex-m33", "-mcpu=cortex-m33 -mthumb", rows_3, MN_COUNT(rows_3)},
    {"cortex-m55", "-mcpu=cortex-m55 -mthumb", rows_4, MN_COUNT(rows_4)},
    {"cortex-m0plus", "-mcpu=cortex-m0plus -mthumb", rows_5, MN_COUNT(rows_5)},
};

const mn_code_sizes mn_code_sizes_shipped = {
    .compiler = "arm-none-eabi-gcc (15:12.2.rel1-1) 12.2.1 20221205",
    .sources_hash = 0x02ba344c8b76c67fu,
    .tables = tables,
    .table_count = MN_COUNT(tables),
};
