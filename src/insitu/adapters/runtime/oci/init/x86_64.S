# The first process of a container, for x86-64. What it does, and how it is assembled: ../init.py
# Linux: number in rax, arguments in rdi, rsi, rdx, r10; a negative answer is an error.

        .intel_syntax noprefix
        .globl  _start
base:   .byte   0x7f, 'E', 'L', 'F', 2, 1, 1, 0         # 64 bits, little endian
        .quad   0
        .short  2, 62                                   # an executable, for x86-64
        .long   1
        .quad   0x400000 + _start - base                # where it begins
        .quad   64, 0                                   # where the one segment is described
        .long   0
        .short  64, 56, 1, 0, 0, 0
        .long   1, 5                                    # loaded, readable and executable
        .quad   0, 0x400000, 0x400000
        .quad   end - base, end - base, 0x1000

_start: lea     r12, [rsp + 8]                          # argv: our name, the path, the command
        mov     rax, [rsp]
        lea     r13, [r12 + 8 * rax + 8]                # the environment follows argv and its 0
        mov     eax, 57                                 # fork
        syscall
        mov     ebx, eax
        test    eax, eax
        js      unable
        jnz     reap
        mov     eax, 59                                 # execve(path, command, environment)
        mov     rdi, [r12 + 8]
        lea     rsi, [r12 + 16]
        mov     rdx, r13
        syscall
        mov     edi, 127
        cmp     eax, -2                                 # ENOENT
        je      leave
unable: mov     edi, 126
        jmp     leave

reap:   mov     eax, 61                                 # wait4(-1, status, 0, 0)
        mov     edi, -1
        movsxd  rdi, edi
        lea     rsi, [rsp - 64]
        xor     edx, edx
        xor     r10d, r10d
        syscall
        cmp     eax, ebx
        jne     reap
        mov     eax, [rsp - 64]
        movzx   edi, ah                                 # the exit code
        and     eax, 127                                # the signal
        jz      leave
        lea     edi, [rax + 128]
leave:  mov     eax, 231                                # exit_group
        syscall
end:
