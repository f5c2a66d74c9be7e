"""`python -m insitu` is `insitu`."""

from insitu.cli import main

main()
