// The first process of a container, for AArch64. What it does, and how it is assembled: ../init.py
// Linux: number in x8, arguments in x0 to x3; a negative answer is an error.

        .globl  _start
base:   .byte   0x7f, 'E', 'L', 'F', 2, 1, 1, 0         // 64 bits, little endian
        .quad   0
        .short  2, 183                                  // an executable, for AArch64
        .long   1
        .quad   0x400000 + _start - base                // where it begins
        .quad   64, 0                                   // where the one segment is described
        .long   0
        .short  64, 56, 1, 0, 0, 0
        .long   1, 5                                    // loaded, readable and executable
        .quad   0, 0x400000, 0x400000
        .quad   end - base, end - base, 0x10000

_start: add     x20, sp, 8                              // argv: our name, the path, the command
        ldr     x9, [sp]
        add     x21, x20, x9, lsl 3
        add     x21, x21, 8                             // the environment follows argv and its 0
        mov     x0, 17                                  // clone(SIGCHLD, 0, 0, 0, 0)
        mov     x1, 0
        mov     x2, 0
        mov     x3, 0
        mov     x4, 0
        mov     x8, 220
        svc     0
        mov     x19, x0
        tbnz    x0, 63, unable
        cbnz    x0, reap
        ldr     x0, [x20, 8]                            // execve(path, command, environment)
        add     x1, x20, 16
        mov     x2, x21
        mov     x8, 221
        svc     0
        cmn     x0, 2                                   // ENOENT
        mov     x0, 127
        b.eq    leave
unable: mov     x0, 126
        b       leave

reap:   mov     x0, -1                                  // wait4(-1, status, 0, 0)
        sub     x1, sp, 64
        mov     x2, 0
        mov     x3, 0
        mov     x8, 260
        svc     0
        cmp     x0, x19
        b.ne    reap
        ldr     w9, [sp, -64]
        ubfx    x0, x9, 8, 8                            // the exit code
        ands    x9, x9, 127                             // the signal
        b.eq    leave
        add     x0, x9, 128
leave:  mov     x8, 94                                  // exit_group
        svc     0
end:
