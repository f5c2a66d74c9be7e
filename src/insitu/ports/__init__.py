"""What the services need from outside, each as one Protocol; its docstrings are the contract of every adapter."""
