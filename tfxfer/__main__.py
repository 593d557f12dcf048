"""``python -m tfxfer`` is ``tfxfer``."""

from tfxfer.cli.main import main

if __name__ == "__main__":
    main()
