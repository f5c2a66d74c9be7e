"""A session as in a notebook, cell by cell: find a data set, ask, run, look at the result, check the receipt.

A provider must be running, with a data set that the search can find: see docs/tutorial/first-run.md.
"""

# %% Connect. On the provider's machine, with its development chain, no address is needed.
import pathlib

import insitu

client = insitu.connect(account="consumer")
print("account", client.account, "holds", client.balance())

# %% Find a data set, and read what its owner allows.
found = client.assets.search("words", type="dataset")
did = found.results[0]["id"]
document = client.assets.resolve(did)
print(did, document.main["name"], "owned by", client.assets.owner(did))

# %% Run an algorithm next to it. This checks, publishes the algorithm and a workflow, buys and starts.
here = pathlib.Path(__file__).parent
execution = client.run(here / "count.py", on=did, max_price=10)
for event in execution.events():
    print(event.type)

# %% The result is a new asset of this account; its files are compared with their checksums.
view = execution.wait()
paths = execution.download("notebook-out")
table = next(path for path in paths if path.name == "output.txt")
print(view.phase.value, view.result_did)
print(table.read_text())

# %% The same agreement runs again, without paying again, until it ends.
again = client.compute.execute(execution.agreement_id)
print(again.wait().phase.value, "charged", again.status().charge)

# %% The receipt: signed by the provider, its hash committed on chain.
receipt = execution.receipt()
proven = client.verify(receipt, on_chain=True)
print("signed by", proven.signer, "receipt", proven.receipt_hash)

# %% A script uses ``with`` instead. A client that nobody closes ends with the interpreter.
client.close()
