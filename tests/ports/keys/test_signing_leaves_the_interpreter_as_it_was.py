"""What a wallet library does to the interpreter when it is loaded ends with its loading."""

import subprocess
import sys

SCRIPT = """
import sys, threading
from insitu.adapters.keys.signer import LocalSigner
limit = sys.getrecursionlimit()
signer = LocalSigner(b"\\1" * 32)
transaction = {"chainId": 1, "nonce": 0, "value": 0, "data": b"", "gas": 21000, "gasPrice": 1, "to": signer.address}
threads = [threading.Thread(target=signer.sign_transaction, args=(transaction,)) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert "py_ecc" in sys.modules, "the library that this is about"
assert sys.getrecursionlimit() == limit, sys.getrecursionlimit()
"""


def test_the_limit_of_nested_calls_stays() -> None:
    """At 100,000 nested calls a document of as many brackets would end the process without a word."""
    ended = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
