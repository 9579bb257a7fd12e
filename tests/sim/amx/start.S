/* start.S - from the reset vector to check_main: copies the image from ROM to memory, maps the first 64 MiB and the
 * ROM one to one, enters long mode with the state of vectors and tiles enabled.
 * Source: Intel SDM, volume 3, "Initializing IA-32e mode"; volume 1, "XSAVE-managed state".
 * SPDX-License-Identifier: Apache-2.0 */
  .section .boot, "ax"
  .code16
boot:
  cli
  lgdtl %cs:(gdt_place - boot + BOOT_OFFSET)
  movl %cr0, %eax
  orl $1, %eax
  movl %eax, %cr0
  ljmpl $8, $protected_mode

  .code32
protected_mode:
  movw $16, %ax
  movw %ax, %ds
  movw %ax, %es
  movw %ax, %ss
  movl $image_rom, %esi
  movl $image_begin, %edi
  movl $image_words, %ecx
  rep movsl
  movl $zero_begin, %edi
  movl $zero_words, %ecx
  xorl %eax, %eax
  rep stosl
  movl $pages_3 + 3, pages_4
  movl $pages_low + 3, pages_3
  movl $pages_high + 3, pages_3 + 3 * 8
  movl $0xffe00083, pages_high + 511 * 8
  movl $pages_low, %edi
  movl $0x83, %eax /* pages of 2 MiB, present, writable */
  movl $32, %ecx
1:
  movl %eax, (%edi)
  addl $0x200000, %eax
  addl $8, %edi
  loop 1b
  movl %cr4, %eax
  orl $0x40620, %eax /* OSXSAVE, OSXMMEXCPT, OSFXSR, PAE */
  movl %eax, %cr4
  movl $pages_4, %eax
  movl %eax, %cr3
  movl $0xc0000080, %ecx /* EFER: long mode */
  rdmsr
  orl $0x100, %eax
  wrmsr
  movl %cr0, %eax
  andl $0x9ffffff3, %eax /* caches on; no emulation, no task switch */
  orl $0x80000022, %eax  /* paging, numeric errors, monitor */
  movl %eax, %cr0
  ljmpl $24, $long_mode

  .code64
long_mode:
  xorl %ecx, %ecx
  xorl %edx, %edx
  movl $0x600e7, %eax /* x87, SSE, AVX, AVX-512 (3), tiles (2) */
  xsetbv
  movl $stack_end, %esp
  movl $check_main, %eax
  call *%rax
  hlt

  .balign 8
gdt: /* none, code and data of 32 bits, code of 64 */
  .quad 0, 0x00cf9a000000ffff, 0x00cf92000000ffff, 0x00af9a000000ffff
gdt_place:
  .word 31
  .long gdt

  .section .reset, "ax"
  .code16
  jmp boot

  .bss
  .balign 4096
pages_4: .skip 4096
pages_3: .skip 4096
pages_low: .skip 4096
pages_high: .skip 4096
  .skip 262144
stack_end:
  .section .note.GNU-stack, "", @progbits
