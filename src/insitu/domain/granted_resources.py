"""What a stage is told about its memory and processors, in the variables that common runtimes obey.

Inside the seal an algorithm sees the whole machine, so a runtime that asks the kernel plans with memory that it will
be killed for, and starts threads that only wait for each other.
"""

from typing import Final

from insitu.domain.plan import Limits
from insitu.domain.units import format_cores

HEAP_PERCENT: Final = 70
"""Share of the memory for the heap of a runtime that needs more beside it: code, threads, buffers."""

WHOLE_PERCENT: Final = 90
"""Share of the memory for a runtime that counts nearly everything that it uses."""

THREADS: Final = (
    "BLIS_NUM_THREADS", "GOMAXPROCS", "INSITU_THREADS", "JULIA_NUM_THREADS", "LOKY_MAX_CPU_COUNT", "MC_CORES",
    "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "NUMEXPR_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS",
    "POLARS_MAX_THREADS", "PYTHON_CPU_COUNT", "RAYON_NUM_THREADS", "TF_NUM_INTEROP_THREADS", "TF_NUM_INTRAOP_THREADS",
)  # fmt: skip
"""Variables that hold the number of threads."""


def resource_variables(limits: Limits) -> dict[str, str]:
    """Return the variables that tell a stage its memory (bytes) and processors.

    A part of a core counts as one thread, as in container support of JVMs.
    """
    threads = max(1, -(-limits.cpu_millis // 1000))
    heap, whole = (limits.memory_bytes * percent // 100 for percent in (HEAP_PERCENT, WHOLE_PERCENT))
    heap_mib = max(1, heap >> 20)
    return {
        **dict.fromkeys(THREADS, str(threads)),
        "DOTNET_GCHeapHardLimit": f"{heap:x}",
        "GOMEMLIMIT": str(whole),
        "INSITU_CPUS": format_cores(limits.cpu_millis),
        "INSITU_MEMORY_BYTES": str(limits.memory_bytes),
        "JAVA_TOOL_OPTIONS": f"-Xmx{heap_mib}m -XX:ActiveProcessorCount={threads}",
        "NODE_OPTIONS": f"--max-old-space-size={heap_mib}",
        "R_MAX_VSIZE": str(whole),
    }
