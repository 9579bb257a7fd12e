# Toolchain file: bare-metal Cortex-M4. Another core: -DMN_CORE_FLAGS="-mcpu=cortex-m0 -mthumb".
# SPDX-License-Identifier: Apache-2.0
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR arm)
set(CMAKE_C_COMPILER arm-none-eabi-gcc)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(MN_CORE_FLAGS "-mcpu=cortex-m4 -mthumb" CACHE STRING "core of the firmware build")
set(CMAKE_C_FLAGS_INIT "${MN_CORE_FLAGS} -ffunction-sections -fdata-sections")
