"""Buy and run a workflow of two stages on the data sets of two owners: python run.py DID DID"""

import pathlib
import sys

import insitu

here = pathlib.Path(__file__).parent
first, second = sys.argv[1:]

with insitu.connect(account="consumer") as client:
    keep = client.assets.publish_algorithm("keep long words", here / "keep.py")
    count = client.assets.publish_algorithm("most frequent word", here / "most_frequent.py")
    stages = [
        insitu.Stage(algorithm=keep.did, inputs=[first, second], stage_type="Filtering", configuration={"at-least": 3}),
        insitu.Stage(algorithm=count.did, inputs=[insitu.Previous(0)], stage_type="Transformation"),
    ]
    workflow = client.assets.publish_workflow("most frequent long word", stages)

    quote = client.agreements.check(workflow.did)
    for receiver in quote.receivers:
        print(receiver.amount, "to", receiver.address, "for", receiver.purpose)

    execution = client.compute.run_workflow(workflow.did, max_price=quote.price)
    for piece in execution.logs():
        print(piece.text, end="")
    view = execution.wait()
    print(view.phase.value, view.result_did)
    for path in execution.download("out"):
        print(path)
