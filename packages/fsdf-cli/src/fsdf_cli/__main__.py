"""`python -m fsdf_cli` is the `fsdf` command."""

from fsdf_cli.app import main

if __name__ == "__main__":
    main()
