# Host kernels are compiled per instruction set; the kernel table asks the machine before it calls them.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  set_source_files_properties(src/kernels/host/kernels_avx512.c PROPERTIES COMPILE_OPTIONS
      "-O3;-mavx512f;-mavx512bw;-mavx512vl;-mavx512dq;-mavx512vnni;-mfma")
  set_source_files_properties(src/kernels/host/kernels_avx2.c PROPERTIES COMPILE_OPTIONS "-O3;-mavx2")
endif()
set_source_files_properties(src/kernels/host/pool_2d_host.c PROPERTIES COMPILE_OPTIONS "-O3")
