"""What the services need from outside, one Protocol each. Its docstrings are the contract of every adapter."""
