"""`python -m sturdis` is `sturdis`."""

from sturdis.cli.main import main

if __name__ == "__main__":
    main()
