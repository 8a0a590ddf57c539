"""`python -m siphon` is `siphon`."""

from siphon.cli import main

if __name__ == "__main__":
    main()
