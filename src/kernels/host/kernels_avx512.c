/* kernels_avx512.c - the host kernels for one instruction set; room.cmake gives the compiler's flags.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/host/host.h"

#if defined(__x86_64__)
#include "kernels/host/simd_avx512.h"
/* after the vector operations */
#include "kernels/host/rounding_body.h"
/* after the rounding */
#include "kernels/host/add_body.h"
#include "kernels/host/conv_body.h"
#include "kernels/host/conv_narrow_body.h"
#include "kernels/host/depthwise_body.h"
#endif
