"""The demo's two algorithms: data of the demo, never imported by `insitu` itself."""
