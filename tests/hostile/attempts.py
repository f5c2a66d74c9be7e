"""What a hostile algorithm tries, as source code that runs inside and prints what each attempt led to.

An attempt opens and calls, but writes nothing outside its own folders: a broken sandbox must not harm the machine that
runs the tests.
"""

import json

from tests.ports.runtime.runtime_place import Place

PRELUDE = """
import ctypes, errno, json, os, platform, signal, socket, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
X86 = platform.machine() == "x86_64"

def name(number):
    return "ok" if number == 0 else errno.errorcode.get(number, str(number))

def call(x86, arm, *arguments):
    # ctypes passes plain integers as 32 bits; pointers and flags need the whole register.
    words = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(x86 if X86 else arm), *words)
    return "ok" if result >= 0 else name(ctypes.get_errno())

def attempt(action):
    try:
        action()
    except OSError as error:
        return name(error.errno)
    return "ok"

def opened(path, flags=os.O_WRONLY):
    return attempt(lambda: os.close(os.open(path, flags)))

found = {}
"""


async def tried(place: Place, attempts: str, **plan: object) -> dict[str, object]:
    """Run the attempts inside; return what the script put into ``found``."""
    ended = await place.compute(PRELUDE + attempts + "\nprint(json.dumps(found))\n", **plan)
    assert ended.status.ok, (ended.status.reason, ended.log)
    found: dict[str, object] = json.loads(ended.log.splitlines()[-1])
    return found
