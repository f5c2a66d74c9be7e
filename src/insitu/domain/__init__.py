"""What the specification talks about, as pure values and rules: no I/O, no framework, no os, no clock."""
