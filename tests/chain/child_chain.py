"""A process that runs an embedded chain until it is killed: prints anvil's pid and its url, then waits."""

import asyncio
import sys
from pathlib import Path

from insitu.adapters.chain.embedded import EmbeddedChain
from insitu.adapters.keys.dev import dev_signer


async def main() -> None:
    chain = await EmbeddedChain.start(Path(sys.argv[1]), dev_signer("deployer"), funded=[dev_signer("owner").address])
    sys.stdout.write(f"{chain.pid} {chain.url}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


asyncio.run(main())
