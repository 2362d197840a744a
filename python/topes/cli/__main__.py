"""`python -m topes.cli` is the command `topes`."""

from . import main

if __name__ == "__main__":
    main()
