# See acceleration-kernel.ts. as --64 X.S -o X.o; ld -Ttext 0x100000 X.o -o X.elf; objcopy -O binary -j .text X.elf X.bin
.set base, 0x100000
.code32
.globl _start
_start:
header:
 .long 0x1BADB002
 .long 0x00010000
 .long -(0x1BADB002+0x00010000)
 .long header, header, 0, 0, entry
gdt:
 .quad 0
 .quad 0x00af9b000000ffff   # 64-bit code
 .quad 0x00cf93000000ffff   # data
gdtr:
 .word 23
 .long gdt
idtr:
 .word 0x20f
 .quad 0x4000
entry:
 mov $0x90000, %esp
 xor %eax, %eax
 mov $0x1000, %edi
 mov $0x1000, %ecx
 rep stosl
 movl $0x2003, 0x1000
 movl $0x3003, 0x2000
 movl $0x83, 0x3000
 lgdt gdtr
 mov $0x620, %eax     # PAE, OSFXSR, OSXMMEXCPT
 mov %eax, %cr4
 mov $0x1000, %eax
 mov %eax, %cr3
 mov $0xc0000080, %ecx
 mov $0x100, %eax
 xor %edx, %edx
 wrmsr
 mov $0x80010033, %eax
 mov %eax, %cr0
 ljmp $8, $long
.code64
long:
 mov $0x10, %eax
 mov %eax, %ss
 mov %eax, %ds
 mov %eax, %es
 # gate of IRQ 0 at vector 0x20
 mov $tick, %eax
 mov $0x4200, %edi
 mov %ax, (%rdi)
 movw $8, 2(%rdi)
 movw $0x8e00, 4(%rdi)
 shr $16, %eax
 mov %ax, 6(%rdi)
 lidt idtr
 # PIC
 mov $0x11, %al
 out %al, $0x20
 out %al, $0xa0
 mov $0x20, %al
 out %al, $0x21
 mov $0x28, %al
 out %al, $0xa1
 mov $4, %al
 out %al, $0x21
 mov $2, %al
 out %al, $0xa1
 mov $1, %al
 out %al, $0x21
 out %al, $0xa1
 mov $0xfe, %al
 out %al, $0x21
 mov $0xff, %al
 out %al, $0xa1
 # PIT 100 Hz
 mov $0x34, %al
 out %al, $0x43
 mov $0x9c, %al
 out %al, $0x40
 mov $0x2e, %al
 out %al, $0x40
 xor %r8d, %r8d
 sti
again:
 mov $7, %eax
 xor %ecx, %ecx
 cpuid
 bt $8, %ebx
 jnc 1f
 mov $3, %edx
 shlx %edx, %r9d, %r9d
1:
 cvtsi2sd %r8, %xmm0
 mulsd %xmm0, %xmm0
 mov %cr3, %rax
 mov %rax, %cr3
 hlt
 cmp $10, %r8d
 jb again
 mov $0x2a, %al
 out %al, $0xf4
 cli
2: hlt
 jmp 2b
tick:
 inc %r8d
 push %rax
 mov $0x20, %al
 out %al, $0x20
 pop %rax
 iretq
