"""`python -m autoworker`, and the command `autoworker`."""

from autoworker.cli.app import main

if __name__ == "__main__":
    main()
